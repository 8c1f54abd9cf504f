"""Whether the live tables are built as the program would build them: columns, indexes, constraints, grants."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import LiteralString, NamedTuple, cast

from psycopg import Connection, Rollback
from psycopg.rows import TupleRow

from database.queries import load
from projections.install import install_tables
from projections.projection import Projection
from replay.finding import Finding, FindingKind
from replay.shadow import SQL as SHADOW
from replay.shadow import run_on_schema

SQL = load("replay", "compare.sql")
PATTERN = "replay_shape"

Parts = dict[str, dict[str, str]]


class Shape(NamedTuple):
    """Per table: columns with their types, indexes and constraints with their definitions, grants."""

    columns: Parts
    indexes: Parts
    grants: Parts


def read_shape(connection: Connection[TupleRow], schema: str, tables: Sequence[str]) -> Shape:
    """The shape of tables of a schema; one that is not there is missing from `columns`."""
    return Shape(
        _read(connection, SQL.list_columns, schema, tables),
        _read(connection, SQL.list_indexes, schema, tables),
        _read(connection, SQL.list_grants, schema, tables),
    )


def read_pattern(connection: Connection[TupleRow], projections: Sequence[Projection]) -> Shape:
    """The shape that the program gives these tables: they are made, read and unmade in one transaction."""
    shape = Shape({}, {}, {})
    with connection.transaction():
        run_on_schema(connection, SHADOW.create, PATTERN)
        install_tables(connection, projections, schema=PATTERN)
        shape = read_shape(connection, PATTERN, list_tables(projections))
        raise Rollback
    return shape


def compare_shapes(pattern: Shape, live: Shape, projection: Projection) -> Iterator[Finding]:
    """What is missing, too much or different in the tables of a projection."""
    for table in [table.name for table in projection.tables]:
        if table not in live.columns:
            yield Finding(FindingKind.TABLE_MISSING, table=table, projection=projection.name)
            continue
        yield from _compare_columns(pattern.columns[table], live.columns[table], table, projection.name)
        yield from _compare_rest(FindingKind.INDEX_MISSING, pattern.indexes, live.indexes, table, projection.name)
        yield from _compare_rest(FindingKind.GRANT_MISSING, pattern.grants, live.grants, table, projection.name)


def list_tables(projections: Sequence[Projection]) -> list[str]:
    """The names of their tables."""
    return [table.name for projection in projections for table in projection.tables]


def _compare_columns(
    expected: Mapping[str, str], found: Mapping[str, str], table: str, projection: str
) -> Iterator[Finding]:
    for column in dict.fromkeys([*expected, *found]):
        kind = FindingKind.COLUMN_DIFFERS
        if column not in found:
            kind = FindingKind.COLUMN_MISSING
        elif column not in expected:
            kind = FindingKind.COLUMN_EXTRA
        right, wrong = expected.get(column), found.get(column)
        if right != wrong:
            yield Finding(kind, table=table, column=column, expected=right, found=wrong, projection=projection)


def _compare_rest(kind: FindingKind, pattern: Parts, live: Parts, table: str, projection: str) -> Iterator[Finding]:
    """An index or a grant that somebody added is his own affair; one that is missing slows or shuts out."""
    found = live.get(table, {})
    for name, definition in pattern.get(table, {}).items():
        if found.get(name) != definition:
            yield Finding(
                kind,
                table=table,
                key=name,
                expected=definition,
                found=found.get(name, "nothing"),
                projection=projection,
            )


def _read(connection: Connection[TupleRow], query: LiteralString, schema: str, tables: Sequence[str]) -> Parts:
    rows = connection.execute(query, {"schema": schema, "tables": list(tables)}).fetchall()
    parts: Parts = defaultdict(dict)
    for table, name, definition in cast("list[tuple[str, str, str]]", rows):
        parts[table][name] = definition
    return dict(parts)
