"""A copy of the database, as a backup is one."""

import psycopg
from psycopg.sql import SQL, Identifier

from tests.conftest import Database


def copy(database: Database, name: str) -> None:
    with psycopg.connect(database.superuser_dsn.replace(database.name, "postgres"), autocommit=True) as connection:
        statement = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY wal_log")
        connection.execute(statement.format(Identifier(name), Identifier(database.name)))
