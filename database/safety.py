"""The program does not start where an acknowledged event could be lost or changed."""

import os
from collections.abc import Mapping

from psycopg import Connection
from psycopg.rows import TupleRow

from database.errors import UnsafeConfiguration
from database.queries import load

SQL = load("database", "safety.sql")
DB_FUNCTIONS = "POSTGRES_ENABLE_DB_FUNCTIONS"
FALSE_WORDS = frozenset({"", "n", "no", "f", "false", "off", "0"})


def check_safe(connection: Connection[TupleRow], environment: Mapping[str, str] = os.environ) -> None:
    """Raise UnsafeConfiguration with every reason named. `connection` must be the application's own role's."""
    dangers = list_dangers(connection, environment)
    if dangers:
        raise UnsafeConfiguration(reasons=[f"{name}: {meaning}" for name, meaning in dangers.items()])


def list_dangers(connection: Connection[TupleRow], environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Stable name → meaning, for `escrow doctor`; empty when all is well."""
    return dict(connection.execute(SQL.list_dangers).fetchall()) | _list_environment_dangers(environment)


def _list_environment_dangers(environment: Mapping[str, str]) -> dict[str, str]:
    """With this variable the event library drops its table lock, and followers of the log miss events (measured)."""
    if environment.get(DB_FUNCTIONS, "").strip().lower() in FALSE_WORDS:
        return {}
    return {"db_functions_enabled": f"{DB_FUNCTIONS} lets followers miss events; unset it"}
