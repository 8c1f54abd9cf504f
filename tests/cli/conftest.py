"""A demo for the tests of the `escrow` command, shared with those of the documentation."""

from collections.abc import Generator

import pytest

from tests.running_demo import Demo, lend_demo


@pytest.fixture(scope="session")
def demo() -> Generator[Demo]:
    """A running demo; whoever changes something in it leaves it sound."""
    yield from lend_demo()
