"""Reading the log: streams, pages, all of it, and what is being added."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

import psycopg
import structlog
from psycopg.rows import TupleRow

from database.connect import Connection, Pool, open_connection
from database.queries import load
from domain.errors import EscrowError
from domain.event import Event
from eventstore.converter import Fields
from eventstore.transcoder import Undecodable, decode, parse

SQL = load("eventstore", "log.sql")
END = 2**63 - 1
PAGE = 5_000
POLL_SECONDS = 1.0
PAUSE_SECONDS = 0.2

logger = structlog.get_logger("eventstore")

Row = tuple[int, datetime, UUID, int, str, bytes]


class MissingPosition(EscrowError):
    """Positions of the log are dense, and one is missing: an event was removed."""

    code = "missing_position"
    status = 500


class RecordedEvent:
    """One row of the log: `state` is canonical JSON, `recorded_at` UTC; decoded when first asked for, then kept."""

    __slots__ = ("_data", "_event", "position", "recorded_at", "state", "stream_id", "topic", "version")

    def __init__(
        self, position: int, recorded_at: datetime, stream_id: UUID, version: int, topic: str, state: bytes
    ) -> None:
        """In the order of the columns that the queries return."""
        self.position = position
        self.recorded_at = recorded_at
        self.stream_id = stream_id
        self.version = version
        self.topic = topic
        self.state = state
        self._data: Fields | None = None
        self._event: Event | None = None

    def __repr__(self) -> str:
        """Where it stands and what it is; not what it says."""
        return f"RecordedEvent({self.position}, {self.topic}, {self.stream_id} v{self.version})"

    @property
    def data(self) -> Fields:
        """The state as plain JSON, as it was recorded; raises `Undecodable`."""
        if self._data is None:
            try:
                self._data = parse(self.state)
            except (ValueError, RecursionError) as error:
                raise Undecodable(position=self.position, topic=self.topic, reason=str(error)) from error
        return self._data

    @property
    def event(self) -> Event:
        """The event, upcast to its newest shape; raises `Undecodable`."""
        if self._event is None:
            self._event = self.read()
        return self._event

    def read(self) -> Event:
        """The event, decoded for once and not kept; raises `Undecodable`."""
        return decode(self.topic, self.state, self.stream_id, self.version, self.position)


class RecordedCommand(NamedTuple):
    """How a command was answered the first time."""

    request_digest: bytes
    last_position: int
    stream_id: UUID
    stream_version: int


async def read_stream(
    pool: Pool, stream_id: UUID, *, after_version: int = -1, to_version: int = END, to_position: int = END
) -> list[RecordedEvent]:
    """Return the events of one stream, oldest first; empty when there is no such stream."""
    parameters = {
        "stream_id": stream_id,
        "after_version": after_version,
        "to_version": to_version,
        "to_position": to_position,
    }
    async with pool.connection() as connection, connection.cursor(binary=True) as cursor:
        _ = await cursor.execute(SQL.read_stream, parameters)
        return _events(await cursor.fetchall())


async def read_after(
    pool: Pool, position: int, limit: int = PAGE, topics: Sequence[str] | None = None, *, until: int = END
) -> list[RecordedEvent]:
    """Return up to `limit` events after `position`, oldest first; only those of `topics`, if given."""
    async with pool.connection() as connection:
        return await _read_page(connection, position, limit, topics, until)


async def get_head(source: Pool | Connection) -> int:
    """Return the position of the newest event, as this connection sees it where one is given; 0 for an empty log."""
    if not isinstance(source, psycopg.AsyncConnection):
        async with source.connection() as connection:
            return await get_head(connection)
    row = await (await source.execute(SQL.get_head)).fetchone()
    return cast("int", row[0]) if row else 0


async def get_position_at(pool: Pool, at: datetime) -> int:
    """Return the position of the newest event recorded up to `at`; `recorded_at` never runs backwards."""
    async with pool.connection() as connection:
        row = await (await connection.execute(SQL.get_position_at, {"at": at})).fetchone()
        return cast("int", row[0]) if row else 0


async def find_command(pool: Pool, command_id: bytes) -> RecordedCommand | None:
    """Return how this command was answered, or None when it is not in the log."""
    async with pool.connection() as connection, connection.cursor(binary=True) as cursor:
        _ = await cursor.execute(SQL.find_command, {"command_id": command_id})
        row = await cursor.fetchone()
        return RecordedCommand(*row) if row else None


async def scan(pool: Pool, after: int = 0) -> AsyncGenerator[list[RecordedEvent]]:
    """Yield the log in pages, reading one ahead; memory is bounded by two pages, and no transaction stays open.

    Raises `MissingPosition` at a hole.
    """
    coming = asyncio.create_task(read_after(pool, after, PAGE))
    try:
        while events := await coming:
            _require_dense(after, events)
            after = events[-1].position
            coming = asyncio.create_task(read_after(pool, after, PAGE))
            yield events
    finally:
        _ = coming.cancel()


async def follow(
    pool: Pool, after: int = 0, *, topics: Sequence[str] | None = None
) -> AsyncGenerator[list[RecordedEvent]]:
    """Yield every event after `after` in order, for ever, a page at a time.

    A notification wakes it and a poll stands behind that. A connection that is lost, or refused, is made anew, and
    the first refusal is logged. Positions become visible in order, so nothing is ever skipped; a hole raises
    `MissingPosition`.
    """
    is_lost = False
    while True:
        try:
            async with await _listen(pool) as connection:
                is_lost = False
                while True:
                    upto = await get_head(connection)
                    while events := await _read_page(connection, after, PAGE, topics, upto):
                        if topics is None:
                            _require_dense(after, events)
                        after = events[-1].position
                        yield events
                    after = max(after, upto)
                    await _wait(connection)
        except psycopg.OperationalError as error:
            if not is_lost:
                logger.warning("log_not_followed", after=after, error=str(error))
            is_lost = True
        await asyncio.sleep(PAUSE_SECONDS)


async def _listen(pool: Pool) -> Connection:
    conninfo = pool.conninfo
    assert isinstance(conninfo, str), "database.connect.open_pool gives every pool a fixed address"
    connection = await open_connection(conninfo, "escrow follower")
    _ = await connection.execute(SQL.listen)
    return connection


async def _wait(connection: Connection) -> None:
    async for _ in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
        pass


async def _read_page(
    connection: Connection, after: int, limit: int, topics: Sequence[str] | None, until: int
) -> list[RecordedEvent]:
    query = SQL.read_after if topics is None else SQL.read_topics_after
    parameters = {"after": after, "until": until, "limit": limit, "topics": list(topics or ())}
    async with connection.cursor(binary=True) as cursor:
        _ = await cursor.execute(query, parameters)
        return _events(await cursor.fetchall())


def _events(rows: Sequence[TupleRow]) -> list[RecordedEvent]:
    return [RecordedEvent(*row) for row in cast("Sequence[Row]", rows)]


def _require_dense(after: int, events: Sequence[RecordedEvent]) -> None:
    """Positions ascend, so the last one tells whether any is missing."""
    if events[-1].position == after + len(events):
        return
    for expected, event in enumerate(events, start=after + 1):
        if event.position != expected:
            raise MissingPosition(position=expected)
