"""Outages: while nobody could act no deadline ran; every running one is later by as long, and by a day.

The worker gives a sign of life each minute. What lies between two signs further apart than a restart takes is an
outage, and until it is made up for no deadline is enforced. One that the worker has lived through, such as an API that
nobody could reach, is recorded by hand.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import structlog

from database.connect import Pool
from domain.actor import reaction
from domain.errors import Invalid
from domain.transaction.system_commands import ExtendDeadlines
from eventstore.escrow import Request
from reactions.checkpoint import find_last_time, save_checkpoint
from reactions.toolbox import Toolbox, find_readable
from reactions.watch import Watch

NAME = "outages"
ALIVE = "alive"
SHORTEST = timedelta(minutes=15)
GRACE = timedelta(hours=24)
"""So much is added to the length: nobody sits and waits for the end of an outage."""
SIGN_SECONDS = 60.0

logger = structlog.get_logger("reactions")


class OutageInvalid(Invalid):
    """An outage ends after it began, and not in the future."""

    code = "outage_invalid"


class Outage(NamedTuple):
    """From when to when nobody could act; `key` names it, so that it is made up for once."""

    key: str
    began_at: datetime
    ended_at: datetime
    reason: str

    @property
    def lost(self) -> timedelta:
        """By how much deadlines are later."""
        return self.ended_at - self.began_at + GRACE


class Outages:
    """Signs of life, and what is made up for when they were missing."""

    def __init__(self, tools: Toolbox, watch: Watch) -> None:
        """`watch` knows which transactions are not over."""
        self._tools = tools
        self._watch = watch

    async def give_sign(self) -> None:
        """Say that the worker is there; make up for the time before if it was away."""
        last, now = await find_last_sign(self._tools.pool), self._tools.clock()
        if last is not None and is_outage(last, now):
            await self.make_up(Outage(last.isoformat(), last, now, "the worker was away"))
        async with self._tools.pool.connection() as connection:
            await save_checkpoint(connection, ALIVE, 0, now)

    async def make_up(self, outage: Outage) -> int:
        """Let every deadline that was running be later; return how many transactions there were.

        Doing it again, after a crash half-way, lengthens nothing twice. Raises `OutageInvalid`.
        """
        if not outage.began_at < outage.ended_at <= self._tools.clock():
            raise OutageInvalid
        await self._watch.catch_up()
        extended = 0
        async for page in self._watch.read_unfinished():
            extended += sum([await self._extend(transaction_id, outage) for transaction_id in page])
        logger.warning("outage_made_up", began_at=str(outage.began_at), lost=str(outage.lost), transactions=extended)
        return extended

    async def _extend(self, transaction_id: UUID, outage: Outage) -> bool:
        transaction = await find_readable(self._tools.escrow, transaction_id)
        if transaction is None or transaction.next_deadline is None or transaction.created_on >= outage.ended_at:
            return False
        reason = f"outage {outage.began_at.isoformat()} to {outage.ended_at.isoformat()}: {outage.reason}"
        command = ExtendDeadlines(seconds=int(outage.lost.total_seconds()), reason=reason)
        await self._tools.escrow.execute(transaction_id, command, _request(transaction_id, outage))
        return True


def is_outage(last: datetime, now: datetime) -> bool:
    """Whether the time since the last sign is more than a restart takes."""
    return now - last >= SHORTEST


async def find_last_sign(pool: Pool) -> datetime | None:
    """Return when the worker was last known to be there; None before the first start."""
    return await find_last_time(pool, ALIVE)


def _request(transaction_id: UUID, outage: Outage) -> Request:
    """The same outage is the same request, whenever it is noticed that it is over."""
    return Request.keyed(reaction(NAME), f"{NAME}:{outage.key}:{transaction_id}")
