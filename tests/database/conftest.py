"""Servers of their own, for tests that kill and reconfigure them."""

import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from database.facts import read_facts
from database.postgres import EmbeddedServer
from tests.conftest import embedded, make_home


@pytest.fixture
def home() -> Generator[Path]:
    """A home that the server's account can reach; whatever was kept elsewhere for it goes too."""
    folder = make_home("escrow-own-")
    yield folder
    remove_home(folder)


@pytest.fixture
def own_server(home: Path) -> Generator[EmbeddedServer]:
    """A running server that the test may harm."""
    with embedded(home) as server:
        yield server


def remove_home(folder: Path) -> None:
    """With the data, wherever it is."""
    if (facts := read_facts(folder).embedded) is not None:
        shutil.rmtree(facts.root, ignore_errors=True)
        if facts.socket_dir is not None:
            shutil.rmtree(facts.socket_dir, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
