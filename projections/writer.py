"""Rows to and from the database, a set at a time: one statement per table and batch."""

import json
from collections.abc import Iterable
from functools import cache
from typing import cast

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed, Identifier

from database.queries import load
from projections.rows import Key, Row, Rows, Table

QUERIES = load("projections", "rows.sql")


def preload(connection: Connection[TupleRow], tables: Iterable[Table], rows: Rows, keys: dict[str, list[Key]]) -> None:
    """Let `rows` know what the database has under these keys."""
    for table in tables:
        wanted = keys.get(table.name)
        if wanted:
            rows.learn(table.name, wanted, _read(connection, table, wanted))


def write(connection: Connection[TupleRow], changes: Iterable[tuple[Table, list[Row]]]) -> None:
    """Insert or replace rows; psycopg.errors.IntegrityError when a row breaks a constraint of its table."""
    for table, rows in changes:
        _ = connection.execute(_insert(table) if table.is_append_only else _upsert(table), (_encode(rows),))


def _read(connection: Connection[TupleRow], table: Table, keys: list[Key]) -> list[Row]:
    wanted = _encode([dict(zip(table.key, key, strict=True)) for key in keys])
    return [_decode(row[0]) for row in connection.execute(_preload(table), (wanted,))]


def _encode(rows: list[Row]) -> str:
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def _decode(text: str) -> Row:
    """Fractions stay texts: a number with decimals must come back as it went out."""
    return cast("Row", json.loads(text, parse_float=str))


@cache
def _preload(table: Table) -> Composed:
    return SQL(QUERIES.preload).format(table=Identifier(table.name), key=_names(table.key))


@cache
def _upsert(table: Table) -> Composed:
    replacements = SQL(", ").join(SQL("EXCLUDED.{}").format(Identifier(name)) for name in table.columns)
    return SQL(QUERIES.upsert).format(
        table=Identifier(table.name), columns=_names(table.columns), key=_names(table.key), replacements=replacements
    )


@cache
def _insert(table: Table) -> Composed:
    return SQL(QUERIES.insert).format(table=Identifier(table.name), columns=_names(table.columns))


def _names(names: Iterable[str]) -> Composed:
    return SQL(", ").join(Identifier(name) for name in names)
