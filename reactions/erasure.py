"""Erasing people who asked for it, once no money, dispute or listing of theirs is open and their data need not be kept.

First nobody signs in as them any more; then, with the tables as far as the log, it is looked again, for what was under
way at that moment; then everything personal goes in one transaction. A crash at any point is carried on from there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import structlog
from psycopg import Error

from database.connect import Pool
from database.errors import DatabaseUnavailable
from database.queries import load
from domain.errors import EscrowError, NotFound
from domain.ids import Clock
from domain.transaction.phase import TERMINAL
from eventstore.log import get_head
from gateways.objects import StorageUnavailable
from identity.erasure import (
    erase_personal_data,
    find_erasure,
    list_waiting_erasures,
    lock_for_erasure,
    request_erasure,
    unlock_after_all,
)
from identity.user import get_user
from projections.page import fetch_all, fetch_one
from projections.reached import get_reached
from reactions.deliveries import erase_bodies

SQL = load("reactions", "erasure.sql")
READ = ("transactions", "disputes", "listings")
SETTLE_SECONDS = 5.0
"""Longer than a command takes that was let in before the lock; what takes longer calls `require_unlocked` itself."""
CAUGHT_UP_SECONDS = 60.0
PAUSE_SECONDS = 0.2
EVERY_SECONDS = 3600.0

Sleep = Callable[[float], Awaitable[None]]
EraseFiles = Callable[[UUID, datetime], Awaitable[None]]
"""Forgets and deletes every file that a person (first) has sent; again changes nothing."""
logger = structlog.get_logger("erasure")


class ErasureUndecided(EscrowError):
    """The tables are not as far as the log, so nobody can say what is open: see that `escrow worker` runs."""

    code = "erasure_undecided"
    status = 503


class State(StrEnum):
    """How far an erasure is."""

    WAITING = "waiting"
    POSSIBLE = "possible"
    ERASED = "erased"


class Matter(NamedTuple):
    """Something open: a transaction or a listing."""

    kind: str
    id: UUID


class LastMovement(NamedTuple):
    """When something last happened in a sale."""

    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far it is, what stands in the way, and from when on the retention period is over, as far as is known."""

    user_id: UUID
    state: State
    open_matters: tuple[Matter, ...] = ()
    possible_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Eraser:
    """What erasing works with; `retention` is counted from the last event of a person's last sale."""

    pool: Pool
    clock: Clock
    retention: timedelta
    erase_files: EraseFiles
    sleep: Sleep = asyncio.sleep

    async def look(self, user_id: UUID) -> Standing:
        """Say how it stands. Raises NotFound for an unknown user."""
        async with self.pool.connection() as connection:
            await get_user(connection, user_id)
            erasure = await find_erasure(connection, user_id)
        if erasure is not None and erasure.erased_at is not None:
            return Standing(user_id=user_id, state=State.ERASED)
        return await self._look_for_matters(user_id)

    async def _look_for_matters(self, user_id: UUID) -> Standing:
        facts = {"user_id": user_id, "ended": sorted(phase.value for phase in TERMINAL)}
        found = tuple(await fetch_all(self.pool, Matter, SQL.list_open, facts))
        moved = await fetch_one(self.pool, LastMovement, SQL.find_last_movement, facts)
        last_at = moved.last_at if moved is not None else None
        possible_at = None if last_at is None else last_at + self.retention
        waits = bool(found) or (possible_at is not None and possible_at > self.clock())
        state = State.WAITING if waits else State.POSSIBLE
        return Standing(user_id=user_id, state=state, open_matters=found, possible_at=possible_at)

    async def request(self, user_id: UUID) -> Standing:
        """Ask for it on somebody's behalf; the worker carries it out when it becomes possible."""
        async with self.pool.connection() as connection:
            await get_user(connection, user_id)
            await request_erasure(connection, user_id, self.clock())
        return await self.look(user_id)

    async def erase(self, user_id: UUID) -> Standing:
        """Carry a request out, if it still stands and nothing is in its way. Raises ErasureUndecided, NotFound."""
        standing = await self.look(user_id)
        if standing.state is not State.POSSIBLE:
            await unlock_after_all(self.pool, user_id)
            return standing
        if not await lock_for_erasure(self.pool, user_id, self.clock()):
            return standing
        await self.sleep(SETTLE_SECONDS)
        await self._wait_for_tables()
        standing = await self.look(user_id)
        if standing.state is State.WAITING:
            await unlock_after_all(self.pool, user_id)
            return standing
        await self.erase_files(user_id, self.clock())
        await erase_bodies(self.pool, user_id)
        await erase_personal_data(self.pool, user_id, self.clock())
        return await self.look(user_id)

    async def _wait_for_tables(self) -> None:
        wanted, waited = await get_head(self.pool), 0.0
        while await get_reached(self.pool, READ) < wanted:
            if waited >= CAUGHT_UP_SECONDS:
                raise ErasureUndecided
            await self.sleep(PAUSE_SECONDS)
            waited += PAUSE_SECONDS

    async def erase_all(self) -> list[UUID]:
        """Carry out every request that is possible now; return whose."""
        async with self.pool.connection() as connection:
            waiting = await list_waiting_erasures(connection)
        return [user_id for user_id in waiting if await self._is_erased(user_id)]

    async def _is_erased(self, user_id: UUID) -> bool:
        """Carry out one request; files that cannot be deleted now hold up nobody else's."""
        try:
            return (await self.erase(user_id)).state is State.ERASED
        except StorageUnavailable as error:
            logger.warning("not_erased", error=error.code)
            return False

    async def run(self) -> None:
        """Do so once an hour until cancelled; what is not possible now is tried again an hour later."""
        while True:
            try:
                erased = await self.erase_all()
                logger.info("erased", people=len(erased))
            except (Error, DatabaseUnavailable, ErasureUndecided, NotFound) as error:
                logger.warning("not_erased", error=type(error).__name__)
            await self.sleep(EVERY_SECONDS)
