"""Making the tables of projections: the live ones in `public`, shadow ones in schemas of their own."""

from collections.abc import Sequence
from typing import cast

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from database.queries import load
from database.timeouts import PATIENT_CONNECT_SECONDS
from projections import checkpoint
from projections.checkpoint import LIVE, enter_schema
from projections.projection import Projection
from projections.registry import PROJECTIONS

SQL = load("projections", "install.sql")


def install(owner_dsn: str) -> list[str]:
    """Make the live tables that are missing or of another version; return the names of those projections.

    A new version starts from an empty table, and the runner folds the log into it.
    """
    with psycopg.connect(
        owner_dsn, application_name="escrow install", connect_timeout=PATIENT_CONNECT_SECONDS
    ) as connection:
        # Before the first statement: even what changes nothing fails when two processes that start do it at once.
        _ = connection.execute(SQL.lock)
        return install_tables(connection, PROJECTIONS)


def install_tables(
    connection: Connection[TupleRow],
    projections: Sequence[Projection],
    *,
    schema: str = LIVE,
    with_indexes: bool = True,
) -> list[str]:
    """Make the tables in an existing schema, in the caller's transaction or one that this commits.

    Without indexes the tables load faster; `build_indexes` makes up for it. Primary keys are always there.
    """
    with connection.transaction():
        enter_schema(connection, schema)
        _ = connection.execute(SQL.lock)
        _ = connection.execute(checkpoint.SQL.tables)
        _ = connection.execute(checkpoint.SQL.grants)
        if schema == LIVE:
            _ = connection.execute(checkpoint.SQL.failures)
        installed = dict(cast("list[tuple[str, int]]", connection.execute(SQL.list_installed).fetchall()))
        stale = [projection for projection in projections if installed.get(projection.name) != projection.version]
        for projection in stale:
            _install(connection, projection, with_indexes=with_indexes)
    return [projection.name for projection in stale]


def build_indexes(connection: Connection[TupleRow], projections: Sequence[Projection], *, schema: str) -> None:
    """Build the indexes that `install_tables` left out."""
    with connection.transaction():
        enter_schema(connection, schema)
        for projection in projections:
            _ = connection.execute(projection.ddl.indexes)


def _install(connection: Connection[TupleRow], projection: Projection, *, with_indexes: bool) -> None:
    for table in projection.tables:
        _ = connection.execute(sql.SQL(SQL.drop_table).format(table=sql.Identifier(table.name)))
    _ = connection.execute(projection.ddl.tables)
    if with_indexes:
        _ = connection.execute(projection.ddl.indexes)
    _ = connection.execute(projection.ddl.grants)
    _ = connection.execute(SQL.unregister, (projection.name,))
    _ = connection.execute(SQL.register, (projection.name, projection.version))
