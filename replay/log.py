"""Verify the log: what it is made of, what it says, and whether it could have come about."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import LiteralString, NamedTuple, TypeVar, cast
from uuid import UUID

import psycopg
from psycopg import Connection, IsolationLevel, ServerCursor, sql
from psycopg.rows import TupleRow

from database.damage import ALTERED, DAMAGED, UNREADABLE
from database.queries import load
from projections.catch_up import uncollected
from replay.blocks import find_unreadable
from replay.books import Books, Safeguard
from replay.commands import CommandRow
from replay.finding import COMMANDS_TABLE, LOG_TABLE, Finding, FindingKind, Findings
from replay.positions import PositionWalk, Walked
from replay.positions import Row as PositionRow
from replay.progress import Meter, Progress, ignore
from replay.shadow import APPLICATION
from replay.streams import Row as StreamRow
from replay.streams import StreamWalk
from replay.workers import Tick, run_all

SQL = load("replay", "log.sql")
R = TypeVar("R")
PAGE = 2_000
EVENTS_PER_PART = 50_000
LOWEST = UUID(int=0)
Bounds = tuple[UUID, UUID | None]

NO_TAIL = "the newest events: without an expected head from another place, a deleted tail cannot be told from none"
NO_CHECKPOINT = "signed checkpoints, which this version does not make: a log rewritten with all its hashes looks sound"
NO_INPUTS = (
    "what lies outside the log: bodies of webhooks, what people wrote, roles as they are in force, the vault's keys"
)
NO_INDEXES = "most indexes: a query may miss a row that is in its table; a rebuild makes those of a read model anew"
NO_PROGRAM = "functions and views of the database, and who may do what with the log: `escrow migrate` made them once"


class LogSummary(NamedTuple):
    """What the log adds up to. Balances in minor units per currency and account, debits positive.

    Where a block cannot be read (`block_unreadable`) it tells of the rest, or of nothing but the head.
    """

    events: int
    streams: int
    head: int
    trial_balance: dict[str, dict[str, int]]
    safeguards: tuple[Safeguard, ...]

    def as_json(self) -> dict[str, object]:
        """Stable names; `is_covered` says whether the assets now suffice for what clients are owed."""
        covers = [cover._asdict() | {"is_covered": cover.is_covered} for cover in self.safeguards]
        facts: dict[str, object] = {"events": self.events, "streams": self.streams, "head": self.head}
        return facts | {"trial_balance": self.trial_balance, "safeguards": covers}


class Part(NamedTuple):
    """What one task found, and what it counted."""

    findings: Findings
    walked: Walked | None
    streams: int


def verify_log(
    dsn: str,
    findings: Findings,
    *,
    expected_head: int | None = None,
    look_up_commands: bool = True,
    processes: int | None = None,
    progress: Progress = ignore,
) -> LogSummary:
    """Check every event twice, by position and by stream, in one snapshot; any role that may read the log can.

    `expected_head` is a position known from another place: only against it is a deleted tail found for sure. Without
    it, that the table of commands goes further than the log is taken for a lost tail, and not for a wrong table.
    `look_up_commands` looks every command up by its key as well, on which no read model rests.
    """
    with connect_reading(dsn) as connection:
        # First of all: what comes before this statement might otherwise be a transaction of its own.
        snapshot = cast("tuple[str]", connection.execute(SQL.export_snapshot).fetchone())[0]
        rows, highest = _count_rows(connection, findings)
        if rows is None:
            return LogSummary(0, 0, highest, {}, ())
        bounds = _divide(connection, rows)
        by_position = partial(walk_positions, dsn, snapshot, look_up_commands)
        tasks = [by_position, *(partial(walk_streams, dsn, snapshot, *ends) for ends in bounds)]
        meter = Meter("log", rows, progress)
        # Every event is met twice.
        parts = run_all(tasks, processes or _suitable_processes(rows), lambda done: meter.reach(done // 2))
    for part in parts:
        findings.merge(part.findings)
    walked = next((part.walked for part in parts if part.walked is not None), Walked(0, 0, Books()))
    _check_ends(findings, walked, rows, highest, expected_head)
    streams = sum(part.streams for part in parts)
    return LogSummary(walked.events, streams, walked.head, walked.books.trial_balance(), walked.books.safeguards())


def list_unchecked(expected_head: int | None) -> tuple[str, ...]:
    """What `verify_log` cannot tell."""
    always = (NO_CHECKPOINT, NO_INPUTS, NO_INDEXES, NO_PROGRAM)
    return always if expected_head is not None else (NO_TAIL, *always)


def connect_reading(dsn: str) -> Connection[TupleRow]:
    """A connection whose one transaction sees one state of the database and changes nothing."""
    connection = psycopg.connect(dsn, application_name=APPLICATION)
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return connection


def _count_rows(connection: Connection[TupleRow], findings: Findings) -> tuple[int | None, int]:
    """Rows and highest position of the table itself; None when a block cannot be read, and then nothing else is."""
    try:
        with connection.transaction():
            connection.execute(SQL.read_table_only)
            row = connection.execute(SQL.count_rows).fetchone()
            connection.execute(SQL.read_indexes_again)
    except DAMAGED:
        return None, find_unreadable(connection, findings)
    except ALTERED as error:
        findings.add(Finding(FindingKind.BLOCK_UNREADABLE, table=LOG_TABLE, found=str(error).strip()))
        return None, 0
    rows, highest = cast("tuple[int, int]", row)
    return rows, highest


def _divide(connection: Connection[TupleRow], rows: int) -> list[Bounds]:
    """Ranges of stream ids; a bad sample only makes them uneven."""
    parts = rows // EVENTS_PER_PART
    inner: list[UUID] = []
    if parts > 1:
        shares = [part / parts for part in range(1, parts)]
        row = connection.execute(SQL.divide_streams, {"shares": shares, "per_cent": 5}).fetchone()
        inner = sorted(set(cast("tuple[list[UUID] | None]", row)[0] or ()))
    starts = [LOWEST, *inner]
    return list(zip(starts, [*starts[1:], None], strict=True))


def walk_positions(dsn: str, snapshot: str, look_up_commands: bool, tick: Tick) -> Part:
    """Walk the log by position, beside the table of commands."""
    findings = Findings()
    with uncollected(), _see(dsn, snapshot) as connection:
        connection.execute(SQL.follow_index)
        commands = chain.from_iterable(_read_pages(connection, "commands", SQL.read_commands, {}))
        walk = PositionWalk(findings, map(CommandRow._make, commands))
        pages = _read_pages(connection, "events", SQL.read_by_position, {})
        complete = _check_pages(findings, cast("Iterator[Sequence[PositionRow]]", pages), walk.check, tick)
        if look_up_commands and FindingKind.TABLE_UNREADABLE not in findings.counts:
            _find_hidden(connection, findings)
        return Part(findings, walk.finish(complete=complete), 0)


def _find_hidden(connection: Connection[TupleRow], findings: Findings) -> None:
    """A command that the index of the table does not find would be done a second time."""
    connection.execute(SQL.look_up_each)
    try:
        with connection.transaction():
            row = connection.execute(SQL.count_hidden_commands).fetchone()
    except UNREADABLE as error:
        findings.add(Finding(FindingKind.TABLE_UNREADABLE, table=COMMANDS_TABLE, found=str(error).strip()))
        return
    hidden, first = cast("tuple[int, int | None]", row)
    if hidden:
        expected, found = "every command found by its key", f"{hidden} that are not"
        kind = FindingKind.COMMAND_HIDDEN
        findings.add(Finding(kind, first, table=COMMANDS_TABLE, expected=expected, found=found))


def walk_streams(dsn: str, snapshot: str, first: UUID, before: UUID | None, tick: Tick) -> Part:
    """Walk the streams from one id to before another."""
    findings = Findings()
    with uncollected(), _see(dsn, snapshot) as connection:
        walk = StreamWalk(findings)
        pages = _read_pages(connection, "events", SQL.read_by_stream, {"first": first, "before": before})
        _ = _check_pages(findings, cast("Iterator[Sequence[StreamRow]]", pages), walk.check, tick)
        return Part(findings, None, walk.streams)


def _check_pages(
    findings: Findings, pages: Iterator[Sequence[R]], check: Callable[[Iterable[R]], None], tick: Tick
) -> bool:
    """False when something could not be read: what comes after it is not known."""
    try:
        for page in pages:
            check(page)
            tick(len(page))
    except UNREADABLE as error:
        findings.add(Finding(FindingKind.BLOCK_UNREADABLE, table=LOG_TABLE, found=str(error).strip()))
        return False
    return True


def _see(dsn: str, snapshot: str) -> Connection[TupleRow]:
    connection = connect_reading(dsn)
    connection.execute(sql.SQL(SQL.import_snapshot).format(snapshot=snapshot))
    return connection


def _read_pages(
    connection: Connection[TupleRow], name: str, query: LiteralString, parameters: dict[str, UUID | None]
) -> Iterator[list[TupleRow]]:
    """Each step in a savepoint: where one table cannot be read, the other can be read on."""
    with connection.cursor(name, binary=True) as cursor:
        with connection.transaction():
            cursor.execute(query, parameters)
        while page := _fetch(connection, cursor):
            yield page


def _fetch(connection: Connection[TupleRow], cursor: ServerCursor[TupleRow]) -> list[TupleRow]:
    with connection.transaction():
        return cursor.fetchmany(PAGE)


def _check_ends(findings: Findings, walked: Walked, rows: int, highest: int, expected_head: int | None) -> None:
    if (walked.events, walked.head) != (rows, highest):
        found = f"{walked.events} events to {walked.head} by the index"
        expected = f"{rows} events to {highest} in the table; REINDEX and verify again"
        findings.add(Finding(FindingKind.INDEX_DIFFERS, table=LOG_TABLE, expected=expected, found=found))
    head = max(walked.head, highest)
    # What a command wrote was committed together with it: who does not know better holds the log against that.
    known, by = (walked.commands_head, ", which a command wrote") if expected_head is None else (expected_head, "")
    if head < known:
        expected, found = f"events up to {known}{by}", f"events up to {head}"
        findings.add(Finding(FindingKind.HEAD_DIFFERS, head + 1, table=LOG_TABLE, expected=expected, found=found))


def _suitable_processes(rows: int) -> int:
    return min(2, os.cpu_count() or 1) if rows > EVENTS_PER_PART else 1
