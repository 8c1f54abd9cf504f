"""Connections: which server, and a pool that neither waits long nor hands out a dead connection."""

import asyncio
import select
from dataclasses import asdict, dataclass
from time import monotonic

from psycopg import AsyncConnection, OperationalError
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from database.errors import DatabaseUnavailable
from database.external import find_external_dsn
from database.facts import DatabaseRole
from database.postgres import find_embedded_dsn
from database.queries import load
from database.settings import Settings
from database.timeouts import CONNECT_SECONDS, SILENCE_MS

SQL = load("database", "pool.sql")
LONGEST_WAIT_SECONDS = 2.0
WAITERS_PER_CONNECTION = 64

Connection = AsyncConnection[TupleRow]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long one statement, one wait for a lock and one idle transaction may last, in milliseconds."""

    statement_ms: int = 10_000
    lock_ms: int = 2_000
    idle_in_transaction_ms: int = 15_000


class Pool(AsyncConnectionPool[Connection]):
    """A pool whose checkout raises DatabaseUnavailable within two seconds, and survives a restart of the server."""

    async def getconn(self, timeout: float | None = None) -> Connection:  # noqa: ASYNC109 - overridden
        """A live connection. The check is ours: the pool's own pauses a second after each dead one it meets."""
        deadline = monotonic() + (self.timeout if timeout is None else timeout)
        told = _count_cancellations()
        while True:
            try:
                connection = await super().getconn(max(0.0, deadline - monotonic()))
            except (PoolTimeout, TooManyRequests, PoolClosed) as error:
                raise DatabaseUnavailable from error
            if _count_cancellations() > told:
                # The pool waits with `asyncio.wait_for`, which before Python 3.12 loses a cancellation that comes in
                # the same moment as the connection: whoever is to end would go on.
                await self.putconn(connection)
                raise asyncio.CancelledError
            if is_alive(connection):
                return connection
            await self.putconn(connection)


def _count_cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def resolve_dsn(settings: Settings, role: DatabaseRole) -> str:
    """The libpq URL for a role, with its password: on the server of DATABASE_URL, else on the embedded one.

    A server of one's own is provisioned with the three roles when it is first used. Raises NotProvisioned or RolesInUse
    where that is impossible, DatabaseUnavailable when it lets nobody in, ServerNotRunning when ours is down.
    """
    if settings.database_url is not None:
        return find_external_dsn(settings.database_url.get_secret_value(), settings.escrow_home, role)
    return find_embedded_dsn(settings.escrow_home, role)


async def open_connection(dsn: str, application_name: str) -> Connection:
    """A connection for one who holds it all his life, which would be one less in a pool; each statement stands alone.

    Its bounds are those of a pool's. Raises psycopg.OperationalError.
    """
    connection = await AsyncConnection[TupleRow].connect(
        dsn,
        autocommit=True,
        application_name=application_name,
        connect_timeout=CONNECT_SECONDS,
        tcp_user_timeout=SILENCE_MS,
    )
    await _limit_session(connection)
    return connection


def open_pool(dsn: str, *, max_size: int, min_size: int = 1, autocommit: bool = False) -> Pool:
    """A pool to be entered with `async with`; it waits for a connection no longer than two seconds.

    With `autocommit` each statement stands alone unless inside `connection.transaction()`; without it the block of
    `pool.connection()` is one transaction.
    """
    return Pool(
        dsn,
        kwargs={
            "autocommit": autocommit,
            "application_name": "escrow",
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": SILENCE_MS,
        },
        min_size=min(min_size, max_size),
        max_size=max_size,
        max_waiting=max_size * WAITERS_PER_CONNECTION,
        timeout=LONGEST_WAIT_SECONDS,
        # Attempts give up soon and the next checkout begins anew: the pool's pauses double, up to minutes.
        reconnect_timeout=LONGEST_WAIT_SECONDS,
        configure=_limit_session,
        open=False,
    )


async def _limit_session(connection: Connection) -> None:
    await connection.execute(SQL.limit_session, {name: str(bound) for name, bound in asdict(Limits()).items()})
    if not connection.autocommit:
        await connection.commit()


def is_alive(connection: Connection) -> bool:
    """Whether the server still holds its end, learnt without a round trip: a dead one has closed its socket."""
    if connection.closed:
        return False
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    try:
        while watch.poll(0):
            connection.pgconn.consume_input()
    except OperationalError:
        return False
    return True
