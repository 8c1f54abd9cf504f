"""A database that is set back to a copy of it."""

from collections.abc import Generator

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.conftest import Database


@pytest.fixture
def backup(database: Database) -> Generator[tuple[Database, str]]:
    """The database, and the name that a copy of it may have."""
    name = f"{database.name}_restored"
    yield database, name
    with psycopg.connect(database.superuser_dsn.replace(database.name, "postgres"), autocommit=True) as connection:
        connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
