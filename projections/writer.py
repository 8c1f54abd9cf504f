"""Rows to and from the database, a set at a time: one statement per table and batch."""

import json
from collections.abc import Callable, Iterable
from functools import cache
from operator import itemgetter
from typing import LiteralString, cast

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from database.queries import load
from eventstore.converter import JSON
from projections.rows import Key, Row, Rows, Table

SQL = load("projections", "rows.sql")
MANY = 200


def preload(connection: Connection[TupleRow], tables: Iterable[Table], rows: Rows, keys: dict[str, list[Key]]) -> None:
    """Let `rows` know what the database has under these keys."""
    for table in tables:
        wanted = keys.get(table.name)
        if wanted:
            rows.learn(table.name, wanted, _read(connection, table, wanted))


def write(connection: Connection[TupleRow], changes: Iterable[tuple[Table, list[Row]]]) -> None:
    """Insert or replace rows; psycopg.errors.IntegrityError when a row breaks a constraint of its table."""
    for table, rows in changes:
        if table.is_append_only:
            _copy(connection, SQL.add, table, rows)
        elif len(rows) < MANY:
            _ = connection.execute(_statement(SQL.upsert, table), (_encode(rows),))
        else:
            _ = connection.execute(_statement(SQL.stage, table))
            _copy(connection, SQL.add_to_stage, table, rows)
            _ = connection.execute(_statement(SQL.upsert_staged, table))


def _copy(connection: Connection[TupleRow], query: LiteralString, table: Table, rows: list[Row]) -> None:
    values = cast("Callable[[Row], tuple[JSON, ...]]", itemgetter(*table.columns))
    with connection.cursor() as cursor, cursor.copy(_statement(query, table)) as copy:
        for row in rows:
            copy.write_row(values(row))


def _read(connection: Connection[TupleRow], table: Table, keys: list[Key]) -> list[Row]:
    wanted = _encode([dict(zip(table.key, key, strict=True)) for key in keys])
    return [_decode(row[0]) for row in connection.execute(_statement(SQL.preload, table), (wanted,))]


def _encode(rows: list[Row]) -> str:
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def _decode(text: str) -> Row:
    """Fractions stay texts: a number with decimals must come back as it went out."""
    return cast("Row", json.loads(text, parse_float=str))


@cache
def _statement(query: LiteralString, table: Table) -> sql.Composed:
    return sql.SQL(query).format(
        table=sql.Identifier(table.name),
        stage=sql.Identifier(f"staged_{table.name}"),
        columns=_names(table.columns),
        key=_names(table.key),
        replacements=sql.SQL(", ").join(sql.SQL("EXCLUDED.{}").format(sql.Identifier(name)) for name in table.columns),
    )


def _names(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)
