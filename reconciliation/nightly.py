"""Reconciling by itself: once a day after two o'clock UTC; settlements are booked every ten minutes."""

import asyncio
from datetime import datetime, timedelta

import structlog
from psycopg import AsyncConnection, Error

from domain.errors import EscrowError, NotFound
from domain.reconciliation import Reconciliation
from eventstore.log import read_after
from gateways.errors import GatewayError
from reconciliation.ledger import SQL
from reconciliation.run import Desk, book_settlements, id_of, reconcile

HOUR = timedelta(hours=2)
SETTLEMENTS_EVERY = timedelta(minutes=10)
TICK_SECONDS = 5.0

logger = structlog.get_logger("reconciliation")


class Nightly:
    """Runs until it is cancelled; a second one waits until the first has gone."""

    def __init__(self, desk: Desk, dsn: str, *, tick_seconds: float = TICK_SECONDS) -> None:
        """`dsn` is for the session that holds the lock; the desk's clock is looked at every `tick_seconds`."""
        self._desk = desk
        self._dsn = dsn
        self._tick_seconds = tick_seconds
        self._booked_at = desk.clock()

    async def run(self) -> None:
        """Lead, work, and start over when the database was lost."""
        while True:
            try:
                await self._lead()
            except (Error, EscrowError, OSError) as lost:
                logger.warning("reconciliation_interrupted", error=type(lost).__name__)
            await asyncio.sleep(self._tick_seconds)

    async def _lead(self) -> None:
        async with await AsyncConnection.connect(self._dsn, autocommit=True) as session:
            row = await (await session.execute(SQL.try_lead)).fetchone()
            while row and row[0]:
                await session.execute("SELECT 1")
                await self.work()
                await asyncio.sleep(self._tick_seconds)

    async def work(self) -> None:
        """Do what is due now; what the processor does not answer is tried again in ten minutes."""
        now = self._desk.clock()
        if now < self._booked_at + SETTLEMENTS_EVERY:
            return
        self._booked_at = now
        try:
            await book_settlements(self._desk)
            key = key_of(now)
            if await self._is_due(key):
                await reconcile(self._desk, key)
        except GatewayError as error:
            logger.warning("reconciliation_postponed", code=error.code)

    async def _is_due(self, key: str) -> bool:
        """Not on the first day of an installation, and once for each day."""
        beginning = await read_after(self._desk.pool, 0, 1)
        if not beginning or key_of(beginning[0].event.timestamp) == key:
            return False
        try:
            await self._desk.escrow.get(Reconciliation, id_of(key))
        except NotFound:
            return True
        return False


def key_of(at: datetime) -> str:
    """Return the name of the day's run; a day begins at two o'clock UTC."""
    return f"night {(at - HOUR).date().isoformat()}"
