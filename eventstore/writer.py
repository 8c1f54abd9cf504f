"""The one connection that writes to the log, and what is known when it fails."""

import asyncio
from collections.abc import Sequence

import psycopg
from psycopg import AsyncCursor
from psycopg.errors import Diagnostic
from psycopg.rows import TupleRow

from database.connect import Connection, open_connection
from database.errors import DatabaseUnavailable
from database.queries import load
from database.safety import check_safe
from database.timeouts import CONNECT_SECONDS
from eventstore.arrays import register_arrays
from eventstore.batch import Row, outcomes_of, parameters_of
from eventstore.proposal import Outcome, Proposal

SQL = load("eventstore", "log.sql")
COMMITTED_ONLY_LOCALLY = "01000"


class CommitUnknown(Exception):
    """The batch was sent, and whether it is durable is not known; sending it again is safe and tells."""


class Writer:
    """A connection that is made anew when it is lost; each statement is its own transaction."""

    def __init__(self, dsn: str) -> None:
        """Nothing is connected before `connect` or the first `send`."""
        self._dsn = dsn
        self._connection: Connection | None = None
        self._unreplicated = False
        self.is_sending = False

    async def connect(self) -> None:
        """Raise `UnsafeConfiguration` or `DatabaseUnavailable`."""
        _ = await self._connected()

    async def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def send(self, batch: Sequence[Proposal], *, again: bool) -> list[Outcome]:
        """Commit the batch. `again`: it was sent before and its outcome is unknown.

        Raises `DatabaseUnavailable` or `UnsafeConfiguration` when it was not sent, `CommitUnknown` when it was and
        nobody knows, and `psycopg.Error` when the server rolled it back.
        """
        connection = await self._connected()
        self._unreplicated = False
        self.is_sending = True
        try:
            rows = await (_repeat(connection, batch) if again else _append(connection.cursor(), batch))
        except psycopg.Error as error:
            if not connection.closed:
                raise
            await self.close()
            raise CommitUnknown from error
        finally:
            self.is_sending = False
        if self._unreplicated:
            raise CommitUnknown
        return outcomes_of(rows, resent=again)

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = await self._connect()
        return self._connection

    async def _connect(self) -> Connection:
        try:
            await asyncio.to_thread(_check_safe, self._dsn)
            connection = await open_connection(self._dsn, "escrow appender")
        except (psycopg.OperationalError, OSError) as error:  # or there is no file descriptor left to connect with
            raise DatabaseUnavailable from error
        connection.prepare_threshold = 0
        connection.add_notice_handler(self._notice)
        register_arrays(connection)
        return connection

    def _notice(self, diagnostic: Diagnostic) -> None:
        """A cancelled wait for a replica reports success with this warning: committed here, perhaps nowhere else."""
        if diagnostic.sqlstate == COMMITTED_ONLY_LOCALLY and diagnostic.severity_nonlocalized == "WARNING":
            self._unreplicated = True


async def _append(cursor: AsyncCursor[TupleRow], batch: Sequence[Proposal]) -> list[Row]:
    cursor.format = psycopg.pq.Format.BINARY
    _ = await cursor.execute(SQL.append_events, parameters_of(batch), prepare=True)
    return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in await cursor.fetchall()]


async def _repeat(connection: Connection, batch: Sequence[Proposal]) -> list[Row]:
    """What was stored the first time is only `replayed` now, which alone would wait for no replica."""
    async with connection.transaction(), connection.cursor() as cursor:
        _ = await cursor.execute(SQL.force_a_commit_record)
        return await _append(cursor, batch)


def _check_safe(dsn: str) -> None:
    with psycopg.connect(dsn, connect_timeout=CONNECT_SECONDS) as connection:
        check_safe(connection)
