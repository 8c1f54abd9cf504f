"""Servers that a test may harm."""

from tests.database.conftest import home, own_server

__all__ = ["home", "own_server"]
