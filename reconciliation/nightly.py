"""Reconciling by itself: once a day after two o'clock UTC; settlements are booked every ten minutes.

Before the day's run what can be asked about is asked about. A run that fails is an alert, and is tried again.
"""

import asyncio
from datetime import datetime, timedelta

import structlog
from psycopg import Error

from database.connect import open_connection
from database.queries import load
from database.standstill import begin_standstill, fail_standstill
from domain.errors import EscrowError, NotFound
from domain.reconciliation import Reconciliation
from eventstore.log import read_after
from reconciliation.asking import Ask, ask_about_differences
from reconciliation.run import Desk, book_settlements, id_of, reconcile

SQL = load("reconciliation", "nightly.sql")
BEGINS = timedelta(hours=2)
"""So long after midnight UTC a day of runs begins."""
SETTLEMENTS_EVERY = timedelta(minutes=10)
TICK_SECONDS = 5.0

logger = structlog.get_logger("reconciliation")


class Nightly:
    """Runs until it is cancelled; a second one waits until the first has gone."""

    def __init__(self, desk: Desk, dsn: str, *, ask: Ask | None = None, tick_seconds: float = TICK_SECONDS) -> None:
        """`dsn` is for the session that holds the lock; the desk's clock is looked at every `tick_seconds`.

        Without `ask` nobody is asked about anything, and every difference is only listed.
        """
        self._desk = desk
        self._dsn = dsn
        self._ask = ask
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
        async with await open_connection(self._dsn, "escrow reconciliation") as session:
            row = await (await session.execute(SQL.try_lead)).fetchone()
            while row and row[0]:
                await session.execute(SQL.require_session)
                await self.work()
                await asyncio.sleep(self._tick_seconds)

    async def work(self) -> None:
        """Do what is due now; what fails is tried again in ten minutes."""
        now = self._desk.clock()
        if now < self._booked_at + SETTLEMENTS_EVERY:
            return
        self._booked_at = now
        key = key_of(now)
        try:
            await book_settlements(self._desk)
            if await self._is_due(key):
                await self._reconcile(key)
        except EscrowError as error:
            logger.warning("reconciliation_postponed", code=error.code)
            await self._note_failure(key, error.code)

    async def _reconcile(self, key: str) -> None:
        if self._ask is not None:
            for asked in await ask_about_differences(self._desk, self._ask):
                logger.info("reconciliation_asked", **asked._asdict())
        await reconcile(self._desk, key)

    async def _note_failure(self, key: str, code: str) -> None:
        """Raise an alert if it is the day's run that could not be made; the run itself takes it back."""
        if await self._is_due(key):
            pool, now = self._desk.pool, self._desk.clock()
            await begin_standstill(pool, "reconciliation", f"the run of {key} fails", now)
            await fail_standstill(pool, "reconciliation", code, now)

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
    return f"night {(at - BEGINS).date().isoformat()}"
