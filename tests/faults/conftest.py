"""Servers that a test may harm, with the product's tables in them, and the API on them."""

from collections.abc import Generator
from pathlib import Path

import pytest

from database.migrate import migrate
from database.postgres import DATABASE, EmbeddedServer
from projections.install import install
from tests.api.running import Installation, run_installation
from tests.database.conftest import home, own_server
from tests.faults.api_process import ApiProcess
from vault.pepper import Pepper, format_pepper
from vault.secret import Secret

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
def around(victim: EmbeddedServer) -> Generator[Installation]:
    """A whole installation on a server of its own, whose pepper stands where `escrow serve` looks for it."""
    pepper = victim.home / "pepper"
    pepper.write_bytes(format_pepper(Pepper({1: Secret(bytes(32))})))
    pepper.chmod(0o600)
    with run_installation(victim.dsn("app"), victim.superuser_dsn(DATABASE)) as installation:
        yield installation
