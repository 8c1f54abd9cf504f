"""Installations for the tests of the API: one for a whole module, or a fresh one."""

import itertools
import os
from collections.abc import Generator

import psycopg
import pytest

from tests.api.hostile import make_places
from tests.api.matrix import make_objects
from tests.api.running import Installation, run_installation
from tests.conftest import Database, Server, clone, drop

NUMBERS = itertools.count(1)


@pytest.fixture
def fresh(database: Database) -> Generator[Installation]:
    """An installation of one's own."""
    with run_installation(database.app_dsn, database.superuser_dsn) as installation:
        yield installation


@pytest.fixture(scope="module")
def installation(server: Server, request: pytest.FixtureRequest) -> Generator[Installation]:
    """One installation for all tests of a module: they make their own listings and transactions."""
    # A module may be shared between processes that test, each with an installation of its own.
    name = f"api_{request.module.__name__.rpartition('.')[2]}_{os.getpid()}_{next(NUMBERS)}"
    with psycopg.connect(server.superuser_dsn(), autocommit=True) as connection:
        clone(connection, name)
    with run_installation(server.dsn("app", name), server.superuser_dsn(name)) as running:
        yield running
    drop(server, name)


@pytest.fixture(scope="module")
def objects(installation: Installation) -> dict[str, dict[str, str]]:
    """What the routes of the matrix name."""
    return make_objects(installation)


@pytest.fixture(scope="module")
def places(installation: Installation) -> dict[str, str]:
    """What the hostile corpus is sent to."""
    return make_places(installation)
