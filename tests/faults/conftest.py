"""Servers that a test may harm, with the product's tables in them, and the API on them."""

from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from database.migrate import migrate
from database.postgres import DATABASE, EmbeddedServer
from projections.install import install
from tests.api.running import Installation, run_installation
from tests.database.conftest import home, own_server
from tests.faults.api_process import ApiProcess, Pair
from tests.registrar import make_pepper
from vault.pepper import format_pepper

__all__ = ["api", "home", "own_server", "victim"]


@pytest.fixture
def victim(own_server: EmbeddedServer) -> EmbeddedServer:
    """A server with an empty log."""
    return prepare(own_server)


def prepare(server: EmbeddedServer) -> EmbeddedServer:
    """Make the product's tables there."""
    migrate(server.dsn("owner"))
    install(server.dsn("owner"))
    return server


@pytest.fixture
def api(victim: EmbeddedServer, tmp_path: Path) -> Generator[ApiProcess]:
    """Running, on a server of its own."""
    running = ApiProcess(victim.home, tmp_path / "api.log")
    running.start()
    yield running
    running.kill()


@pytest.fixture
def pair(victim: EmbeddedServer, tmp_path: Path) -> Generator[Pair]:
    """Two API processes on ports of their own."""
    both = ApiProcess(victim.home, tmp_path / "first.log"), ApiProcess(victim.home, tmp_path / "second.log")
    with ExitStack() as stack:
        for each in both:
            each.start()
            stack.callback(each.kill)
        yield both


@pytest.fixture
def around(victim: EmbeddedServer) -> Generator[Installation]:
    """A whole installation on a server of its own, whose pepper stands where `escrow serve` looks for it."""
    pepper = victim.home / "pepper"
    pepper.write_bytes(format_pepper(make_pepper()))
    pepper.chmod(0o600)
    with run_installation(victim.dsn("app"), victim.superuser_dsn(DATABASE)) as installation:
        yield installation
