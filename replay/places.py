"""The two tables beside the read models, how far each is and where one stopped: what to do when they are lost."""

from collections.abc import Mapping, Sequence
from typing import LiteralString, NamedTuple, cast

from psycopg import Connection, sql
from psycopg.errors import UndefinedTable
from psycopg.rows import TupleRow

from database.damage import UNREADABLE
from database.queries import load
from domain.errors import Refused
from projections.checkpoint import LIVE
from projections.install import install_tables
from projections.projection import Projection
from projections.registry import PROJECTIONS
from replay.finding import Finding, FindingKind
from replay.shadow import CHECKPOINTS

SQL = load("replay", "places.sql")
STOPS = "projection_failures"


class PlacesLost(Refused):
    """The table of checkpoints cannot be read or is gone, so that of the other read models none has a place any more;
    nothing was changed. Run `escrow replay repair`, which makes all of them anew."""

    code = "places_lost"


class Place(NamedTuple):
    """What the table of checkpoints says of a projection."""

    version: int
    position: int


def list_places(connection: Connection[TupleRow]) -> dict[str, Place]:
    """The live checkpoints by name."""
    return places_of(connection.execute(SQL.list_checkpoints).fetchall())


def places_of(rows: Sequence[TupleRow]) -> dict[str, Place]:
    """Rows of the table of checkpoints, by name."""
    ordered = sorted(cast("list[tuple[str, int, int]]", rows))
    return {name: Place(version, position) for name, version, position in ordered}


def list_lost(connection: Connection[TupleRow]) -> dict[str, Finding]:
    """Those of the two tables that are gone or that PostgreSQL cannot read."""
    readings: dict[str, LiteralString] = {CHECKPOINTS: SQL.list_checkpoints, STOPS: SQL.list_stops}
    found = {table: _try(connection, table, statement) for table, statement in readings.items()}
    return {table: finding for table, finding in found.items() if finding is not None}


def _try(connection: Connection[TupleRow], table: str, statement: LiteralString) -> Finding | None:
    try:
        with connection.transaction():
            connection.execute(statement).fetchall()
    except UndefinedTable:
        return Finding(FindingKind.TABLE_MISSING, table=table)
    except UNREADABLE as error:
        return Finding(FindingKind.TABLE_UNREADABLE, table=table, found=str(error).strip())
    return None


def list_misindexed(connection: Connection[TupleRow], lost: Mapping[str, Finding]) -> list[Finding]:
    """Those of the two tables that can be read, but not by their index: without it the worker stands still."""
    looks: dict[str, LiteralString] = {CHECKPOINTS: SQL.count_hidden_checkpoints, STOPS: SQL.count_hidden_stops}
    found = [_look_up(connection, table, statement) for table, statement in looks.items() if table not in lost]
    return [finding for finding in found if finding is not None]


def _look_up(connection: Connection[TupleRow], table: str, statement: LiteralString) -> Finding | None:
    kind = FindingKind.INDEX_UNREADABLE
    try:
        with connection.transaction():
            connection.execute(SQL.look_up_each)
            (hidden,) = cast("tuple[int]", connection.execute(statement).fetchone())
    except UNREADABLE as error:
        return Finding(kind, table=table, found=str(error).strip())
    return Finding(kind, table=table, found=f"{hidden} rows that it does not find") if hidden else None


def rebuild_indexes(connection: Connection[TupleRow], tables: Sequence[str]) -> None:
    """Make the indexes of these tables anew from what is in them."""
    for table in tables:
        connection.execute(sql.SQL(SQL.reindex).format(table=sql.Identifier(LIVE, table)))


def refuse_part(lost: Mapping[str, Finding], projections: Sequence[Projection]) -> None:
    """Raise `PlacesLost` where some read models would be left without a checkpoint: the worker would empty them."""
    if CHECKPOINTS in lost and len(projections) < len(PROJECTIONS):
        raise PlacesLost


def remake_lost(connection: Connection[TupleRow], lost: Mapping[str, Finding]) -> None:
    """Make these tables anew, empty, in the caller's transaction."""
    for table in lost:
        connection.execute(sql.SQL(SQL.drop_lost).format(table=sql.Identifier(LIVE, table)))
    if lost:
        install_tables(connection, (), schema=LIVE)
