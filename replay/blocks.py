"""Which blocks of the log cannot be read, and which positions were in them."""

from collections.abc import Iterator
from typing import NamedTuple, cast

from psycopg import Connection
from psycopg.errors import DataCorrupted, IndexCorrupted, InternalError_
from psycopg.rows import TupleRow

from database.queries import load
from replay.finding import Finding, FindingKind, Findings

SQL = load("replay", "log.sql")


class Extent(NamedTuple):
    """What a range of blocks holds: how many rows, the lowest and the highest position; or why it cannot be read."""

    rows: int
    lowest: int | None
    highest: int | None
    complaint: str | None = None


def find_unreadable(connection: Connection[TupleRow], findings: Findings) -> int:
    """Name every unreadable block and the positions it held; return the highest position that can be read.

    Events are appended in order and never move, so the positions of a block lie between those of its neighbours.
    """
    blocks = int(cast("tuple[int]", connection.execute(SQL.count_blocks).fetchone())[0])
    before, lost = 0, list[tuple[int, int, str]]()
    for first, extent in _search(connection, 0, blocks):
        if extent.complaint is not None:
            lost.append((first, before, extent.complaint))
        elif extent.lowest is not None and extent.highest is not None:
            _name(findings, lost, extent.lowest - 1)
            before = extent.highest
    _name(findings, lost, None)
    return before


def _name(findings: Findings, lost: list[tuple[int, int, str]], until: int | None) -> None:
    for block, before, complaint in lost:
        positions = f"positions {before + 1} to {until if until is not None else 'an unknown end'}"
        found = f"block {block}: {complaint}"
        kind = FindingKind.BLOCK_UNREADABLE
        findings.add(Finding(kind, before + 1, table="escrow_events", expected=positions, found=found))
    lost.clear()


def _search(connection: Connection[TupleRow], first: int, before: int) -> Iterator[tuple[int, Extent]]:
    """The readable ranges and the unreadable single blocks, in order; halves what cannot be read."""
    if first >= before:
        return
    extent = _read(connection, first, before)
    if extent.complaint is None or before - first == 1:
        yield first, extent
        return
    middle = (first + before) // 2
    yield from _search(connection, first, middle)
    yield from _search(connection, middle, before)


def _read(connection: Connection[TupleRow], first: int, before: int) -> Extent:
    bounds = {"first": f"({first},0)", "before": f"({before},0)"}
    try:
        with connection.transaction():
            row = connection.execute(SQL.read_blocks, bounds).fetchone()
    except (DataCorrupted, IndexCorrupted, InternalError_) as error:
        return Extent(0, None, None, str(error).strip())
    return Extent(*cast("tuple[int, int | None, int | None]", row))
