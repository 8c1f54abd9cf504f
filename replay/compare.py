"""Compare live tables with shadow tables row by row, in both directions, inside the database."""

import json
from collections.abc import Iterator, Mapping
from itertools import count
from typing import NamedTuple, cast

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from database.queries import load
from eventstore.converter import JSON
from projections.checkpoint import LIVE
from projections.rows import Table
from replay.finding import Finding, FindingKind

SQL = load("replay", "compare.sql")
LOG = load("replay", "log.sql")
PAGE = 1_000
LONGEST_VALUE = 300
CURSORS = count(1)
Difference = tuple[str, str | None, str | None]
"""The key, and the live and the shadow row as JSON."""


class Pair(NamedTuple):
    """A live table and its shadow, which it should equal; `columns` are those that both have, of one type."""

    projection: str
    table: Table
    columns: tuple[str, ...]


def compare_rows(connection: Connection[TupleRow], pair: Pair, shadow_schema: str) -> Iterator[Finding]:
    """Every difference between the two, in the snapshot of the connection's transaction; bounded in memory."""
    if not set(pair.table.key) <= set(pair.columns):
        return
    connection.execute(LOG.read_table_only)
    connection.execute(SQL.read_as_everywhere)
    for key, live, shadow in cast("Iterator[Difference]", _read(connection, _comparison(pair, shadow_schema))):
        yield from _describe(pair, key, live, shadow)
    # A row that equals its shadow does so as often as it stands there.
    for key, rows in cast("Iterator[tuple[str, int]]", _read(connection, _doubles(pair.table))):
        found = f"{rows} rows"
        yield Finding(FindingKind.ROW_EXTRA, None, None, pair.table.name, key, None, "1 row", found, pair.projection)


def _read(connection: Connection[TupleRow], statement: sql.Composed) -> Iterator[TupleRow]:
    with connection.cursor(f"differences_{next(CURSORS)}") as cursor:
        cursor.execute(statement)
        while page := cursor.fetchmany(PAGE):
            yield from page


def _doubles(table: Table) -> sql.Composed:
    keys = sql.SQL(", ").join(map(sql.Identifier, table.key))
    return sql.SQL(SQL.list_doubles).format(keys=keys, live=sql.Identifier(LIVE, table.name))


def _comparison(pair: Pair, shadow_schema: str) -> sql.Composed:
    return sql.SQL(SQL.compare).format(
        keys=sql.SQL(", ").join(map(sql.Identifier, pair.table.key)),
        live=sql.Identifier(LIVE, pair.table.name),
        shadow=sql.Identifier(shadow_schema, pair.table.name),
        live_key=sql.Identifier("live", pair.table.key[0]),
        shadow_key=sql.Identifier("shadow", pair.table.key[0]),
        live_columns=sql.SQL(", ").join(sql.Identifier("live", name) for name in pair.columns),
        shadow_columns=sql.SQL(", ").join(sql.Identifier("shadow", name) for name in pair.columns),
    )


def _describe(pair: Pair, key: str, live: str | None, shadow: str | None) -> Iterator[Finding]:
    found, expected = _row(live), _row(shadow)
    place = {"table": pair.table.name, "key": key, "projection": pair.projection}
    if found is None:
        yield Finding(FindingKind.ROW_MISSING, position=_position(expected), expected=_shorten(shadow), **place)
    elif expected is None:
        yield Finding(FindingKind.ROW_EXTRA, position=_position(found), found=_shorten(live), **place)
    else:
        # The database says that they differ; where their JSON does not show it, all columns are named.
        columns = [name for name in pair.columns if found[name] != expected[name]] or pair.columns
        for column in columns:
            yield Finding(
                FindingKind.VALUE_DIFFERS,
                position=_position(expected),
                column=column,
                expected=_shorten(json.dumps(expected[column])),
                found=_shorten(json.dumps(found[column])),
                **place,
            )


def _row(text: str | None) -> Mapping[str, JSON] | None:
    return None if text is None else cast("Mapping[str, JSON]", json.loads(text, parse_float=str))


def _position(row: Mapping[str, JSON] | None) -> int | None:
    position = None if row is None else row.get("position")
    return position if isinstance(position, int) else None


def _shorten(text: str | None) -> str | None:
    return text if text is None or len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
