"""Schemas beside the live one, in which the log is folded anew."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import LiteralString, cast

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from database.queries import load

SQL = load("replay", "shadow.sql")
APPLICATION = "escrow replay"
CHECKPOINTS = "projection_checkpoints"
SHORT_TAIL = 500
"""So few events are folded in a moment, in which the live tables may be held."""


def connect_owner(dsn: str) -> Connection[TupleRow]:
    """A connection outside any transaction, each statement of its own."""
    return psycopg.connect(dsn, autocommit=True, application_name=APPLICATION)


@contextmanager
def verification_schema(dsn: str) -> Generator[str]:
    """A fresh schema that goes with this block; those that a crash left behind go first."""
    with connect_owner(dsn) as keeper:
        drop_stale(keeper)
        schema = f"replay_verify_{keeper.info.backend_pid}"
        keeper.execute(SQL.lock, (schema,))
        drop_schema(keeper, schema)
        run_on_schema(keeper, SQL.create, schema)
        try:
            yield schema
        finally:
            drop_schema(keeper, schema)


def drop_stale(connection: Connection[TupleRow]) -> list[str]:
    """Drop the verifications' schemas that no living session holds; return their names."""
    names = [cast("str", row[0]) for row in connection.execute(SQL.list_verifications).fetchall()]
    return [name for name in names if _drop_if_free(connection, name)]


def _drop_if_free(connection: Connection[TupleRow], schema: str) -> bool:
    if connection.execute(SQL.try_lock, (schema,)).fetchone() != (True,):
        return False
    try:
        drop_schema(connection, schema)
    finally:
        connection.execute(SQL.unlock, (schema,))
    return True


def read_comment(connection: Connection[TupleRow], schema: str) -> tuple[bool, str | None]:
    """Whether the schema exists, and the comment on it."""
    row = connection.execute(SQL.exists, (schema,)).fetchone()
    return (False, None) if row is None else (True, cast("str | None", row[0]))


def create_schema(connection: Connection[TupleRow], schema: str, words: str) -> None:
    """Create it, with a comment by which it is known again."""
    run_on_schema(connection, SQL.create, schema)
    statement = sql.SQL(SQL.describe).format(schema=sql.Identifier(schema), words=sql.Literal(words))
    connection.execute(statement)


def drop_schema(connection: Connection[TupleRow], schema: str) -> None:
    """Drop it with all that is in it."""
    run_on_schema(connection, SQL.drop, schema)


def open_schema(connection: Connection[TupleRow], schema: str, role: str) -> None:
    """Let a role look into it."""
    statement = sql.SQL(SQL.open).format(schema=sql.Identifier(schema), role=sql.Identifier(role))
    connection.execute(statement)


def spare_the_log(connection: Connection[TupleRow], schema: str, tables: Iterable[str]) -> None:
    """Fold into these without a trace in PostgreSQL's log: for tables that nobody needs after a crash."""
    for table in tables:
        connection.execute(sql.SQL(SQL.spare_the_log).format(table=sql.Identifier(schema, table)))


def run_on_schema(connection: Connection[TupleRow], query: LiteralString, schema: str) -> None:
    """Run a statement that names one schema."""
    connection.execute(sql.SQL(query).format(schema=sql.Identifier(schema)))
