"""Servers of their own, for tests that kill and reconfigure them."""

from collections.abc import Generator
from pathlib import Path

import pytest

from database.postgres import EmbeddedServer
from tests.conftest import embedded
from tests.home import own_home


@pytest.fixture
def home() -> Generator[Path]:
    with own_home("escrow-own-") as made:
        yield made


@pytest.fixture
def own_server(home: Path) -> Generator[EmbeddedServer]:
    """A running server that the test may harm."""
    with embedded(home) as server:
        yield server
