"""An installation for the tests of a module."""

from tests.api.conftest import fresh, installation

__all__ = ["fresh", "installation"]
