"""Are two sets of tables the same? A SHA-256 per table over its rows in the order of their keys."""

import hashlib

import psycopg
from psycopg.sql import SQL, Identifier

from projections.catch_up import catch_up_together
from projections.install import install_tables
from projections.projection import Projection
from projections.registry import PROJECTIONS
from projections.rows import Table

AS_EVERYWHERE = "SET LOCAL timezone = 'UTC'"
ROWS = SQL("SELECT t::text FROM (SELECT {columns} FROM {table} ORDER BY {key}) AS t")


def digest_tables(
    connection: psycopg.Connection, schema: str, projections: tuple[Projection, ...] = PROJECTIONS
) -> dict[str, str]:
    """Return the digest of every table of the projections in a schema."""
    tables = [table for projection in projections for table in projection.tables]
    with connection.transaction():
        connection.execute(AS_EVERYWHERE)
        return {table.name: _digest(connection, schema, table) for table in tables}


def fold_from_zero(
    connection: psycopg.Connection,
    schema: str,
    upto: int,
    batch_size: int,
    projections: tuple[Projection, ...] = PROJECTIONS,
) -> dict[str, str]:
    """Fold the log into a new schema; return the digests of its tables."""
    with connection.transaction():
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
    install_tables(connection, projections, schema=schema, with_indexes=False)
    catch_up_together(connection, projections, schema=schema, upto=upto, batch_size=batch_size)
    found = digest_tables(connection, schema, projections)
    with connection.transaction():
        connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))
    return found


def _digest(connection: psycopg.Connection, schema: str, table: Table) -> str:
    query = ROWS.format(
        columns=SQL(", ").join(map(Identifier, table.columns)),
        table=Identifier(schema, table.name),
        key=SQL(", ").join(map(Identifier, table.key)),
    )
    digest = hashlib.sha256()
    for (row,) in connection.execute(query):
        digest.update(row.encode() + b"\n")
    return digest.hexdigest()
