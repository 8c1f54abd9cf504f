"""An installation for the tests of a module."""

from tests.api.conftest import installation

__all__ = ["installation"]
