"""Servers that a test may harm, with the product's tables in them."""

import pytest

from database.migrate import migrate
from database.postgres import EmbeddedServer
from projections.install import install
from tests.database.conftest import home, own_server

__all__ = ["home", "own_server", "victim"]


@pytest.fixture
def victim(own_server: EmbeddedServer) -> EmbeddedServer:
    """A server with an empty log."""
    migrate(own_server.dsn("owner"))
    install(own_server.dsn("owner"))
    return own_server
