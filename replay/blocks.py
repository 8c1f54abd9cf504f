"""Which blocks of the log cannot be read, and which positions are missing from those that can."""

from collections.abc import Iterator
from typing import cast

from psycopg import Connection
from psycopg.rows import TupleRow

from database.damage import DAMAGED
from database.queries import load
from replay.finding import LOG_TABLE, Finding, FindingKind, Findings

SQL = load("replay", "log.sql")
BLOCKS_AT_ONCE = 1_024
ROWS_PER_BLOCK = 291
"""More than these do not fit into 8 KiB; a log without holes reaches no further than all its blocks have room for."""


class Positions:
    """Which positions were seen; one byte each, so that a million events take a megabyte."""

    def __init__(self, limit: int) -> None:
        """None was seen. Beyond the limit none is believed: one damaged row must not cost all memory."""
        self.limit = limit
        self._seen = bytearray()

    def add(self, positions: list[int]) -> None:
        """These were seen; they are from 1 to the limit."""
        missing = max(positions, default=0) + 1 - len(self._seen)
        self._seen.extend(bytes(max(0, missing)))
        for position in positions:
            self._seen[position] = 1

    @property
    def highest(self) -> int:
        """The last one that was seen, 0 for none."""
        return max(0, len(self._seen) - 1)

    def gaps(self) -> Iterator[tuple[int, int]]:
        """First and last of each run that was not seen, from position 1 on."""
        first = self._seen.find(0, 1)
        while first > 0:
            after = self._seen.find(1, first)  # there is one: the last position was seen
            yield first, after - 1
            first = self._seen.find(0, after)


def find_unreadable(connection: Connection[TupleRow], findings: Findings) -> int:
    """Name every unreadable block and every position missing from the rest; return the highest that can be read."""
    blocks = int(cast("tuple[int]", connection.execute(SQL.count_blocks).fetchone())[0])
    seen = Positions(blocks * ROWS_PER_BLOCK)
    for first in range(0, blocks, BLOCKS_AT_ONCE):
        _search(connection, findings, seen, first, min(first + BLOCKS_AT_ONCE, blocks))
    for first, last in seen.gaps():
        missing = str(first) if first == last else f"{first} to {last}"
        findings.add(Finding(FindingKind.POSITION_MISSING, first, table=LOG_TABLE, expected=missing, found="nothing"))
    return seen.highest


def _search(connection: Connection[TupleRow], findings: Findings, seen: Positions, first: int, before: int) -> None:
    """See what can be read of these blocks; halve what cannot, down to single blocks."""
    complaint = _read(connection, findings, seen, first, before)
    if complaint is None:
        return
    if before - first == 1:
        found = f"block {first}: {complaint}"
        findings.add(Finding(FindingKind.BLOCK_UNREADABLE, table=LOG_TABLE, found=found))
        return
    middle = (first + before) // 2
    _search(connection, findings, seen, first, middle)
    _search(connection, findings, seen, middle, before)


def _read(connection: Connection[TupleRow], findings: Findings, seen: Positions, first: int, before: int) -> str | None:
    """What PostgreSQL complains of, if it does."""
    bounds = {"first": f"({first},0)", "before": f"({before},0)"}
    try:
        with connection.transaction():
            rows = cast("list[tuple[int]]", connection.execute(SQL.read_blocks, bounds).fetchall())
    except DAMAGED as error:
        return str(error).strip()
    positions = [position for (position,) in rows]
    seen.add([position for position in positions if 1 <= position <= seen.limit])
    findings.extend(_miss_place(position, seen.limit) for position in positions if not 1 <= position <= seen.limit)
    return None


def _miss_place(position: int, limit: int) -> Finding:
    kind, expected = FindingKind.POSITION_OUT_OF_ORDER, f"1 to {limit}"
    return Finding(kind, position, table=LOG_TABLE, expected=expected, found=str(position))
