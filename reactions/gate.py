"""The gate before the reactions: a log that was set back is held against the processor first, and then money moves.

Fails closed: while the processor does not answer, or the tables are behind, the reactions wait, an alert says why, and
it is tried again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID, uuid5

import structlog
from psycopg import Error

from database.standstill import Standstill, begin_standstill, fail_standstill, find_standstill, resolve_standstill
from domain.actor import reaction
from domain.errors import EscrowError
from domain.restore import NAMESPACE, RecordRestore, RestoreCause
from eventstore.escrow import Request
from eventstore.log import get_head
from identity.restored import sign_everybody_out
from projections.external_payment import EXTERNAL_PAYMENTS
from projections.ledger import LEDGER
from projections.payout import PAYOUTS
from projections.reached import get_reached
from projections.refund import REFUNDS
from reactions.hold import discover, update_holds
from reactions.recovery import NAME, Place, take_up
from reactions.toolbox import Toolbox
from reactions.watermark import LogState, Mark, Watermark, cause_of

LOOK_BACK = timedelta(days=3)
"""A charge is listed by the day its page was opened, so more is read than the log can have forgotten."""
WHILE_RUNNING = frozenset({RestoreCause.BEHIND, RestoreCause.FORKED})
NEEDED = (LEDGER.name, PAYOUTS.name, REFUNDS.name, EXTERNAL_PAYMENTS.name)
PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.1
RETRY_SECONDS = 10.0

logger = structlog.get_logger("reactions")


class MemoryStale(Exception):
    """The log was set back while this process ran: what it remembers of it is not there any more. Start it anew."""


class TablesBehind(EscrowError):
    """The tables do not hold yet what was recorded before; it is tried again."""

    code = "tables_behind"
    status = 503


class Comparison(NamedTuple):
    """The run that held all books against the processor's, and how many differences it listed."""

    reconciliation_id: UUID
    differences: int


Compare = Callable[[str], Awaitable[Comparison]]
"""Runs the reconciliation under a key; the same key again records nothing more."""


class RestoreGate:
    """Opens once the log is the one that was acted upon, or has caught up with the processor."""

    def __init__(
        self, tools: Toolbox, watermark: Watermark, compare: Compare, *, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        """After a failure the next try is made `retry_seconds` later."""
        self._tools = tools
        self._watermark = watermark
        self._compare = compare
        self._retry_seconds = retry_seconds
        self._was_open = False

    async def pass_through(self) -> None:
        """Return when money may move. Raises whatever is in the way, after a pause: try again; and `MemoryStale`."""
        mark, state = await self._watermark.look()
        cause = cause_of(mark, state)
        if cause is None:
            await self._watermark.permit()
            self._was_open = True
            return
        if self._was_open and cause in WHILE_RUNNING:
            raise MemoryStale
        await begin_standstill(self._tools.pool, "restore", cause, self._tools.clock())
        try:
            await self._catch_up(cause, mark, state)
        except (Error, EscrowError, OSError) as error:
            await self._wait(error)
            raise
        self._was_open = True

    async def _wait(self, error: Error | EscrowError | OSError) -> None:
        code = error.code if isinstance(error, EscrowError) else type(error).__name__
        logger.error("reactions_wait_after_restore", error=code)
        await fail_standstill(self._tools.pool, "restore", code, self._tools.clock())
        await asyncio.sleep(self._retry_seconds)

    async def _catch_up(self, cause: RestoreCause, mark: Mark | None, state: LogState) -> None:
        tools = self._tools
        begun = await find_standstill(tools.pool, "restore")
        assert begun is not None, "it was begun a moment ago"
        out = await sign_everybody_out(tools.pool, begun.noticed_at, tools.clock())
        logger.error(
            "log_was_restored",
            cause=cause,
            marked=mark and mark.position,
            found=state.position,
            sessions_ended=out.sessions,
        )
        since = min(state.recorded_at or begun.noticed_at, begun.noticed_at) - LOOK_BACK
        found = await take_up(tools, since)
        strange = [each for each in found if each.place is Place.NONE]
        for each in strange:
            await discover(tools, each)
        await self._until_folded()
        for each in strange:
            if each.transaction_id is not None:
                await update_holds(tools, each.transaction_id)
        compared = await self._compare(f"restore {begun.noticed_at.isoformat()}")
        command = RecordRestore(
            cause=cause,
            marked_position=mark.position if mark else None,
            found_position=state.position,
            applied=sum(each.place is Place.TAKEN for each in found),
            discovered=len(strange),
            reconciliation_id=compared.reconciliation_id,
            differences=compared.differences,
        )
        await self._conclude(command, begun)

    async def _conclude(self, command: RecordRestore, begun: Standstill) -> None:
        """The record first: a crash in between repeats the comparison, which is harmless."""
        tools, key = self._tools, f"restore:{begun.noticed_at.isoformat()}"
        await tools.escrow.execute(uuid5(NAMESPACE, key), command, Request.keyed(reaction(NAME), key))
        await self._watermark.accept()
        await resolve_standstill(tools.pool, "restore", tools.clock())
        logger.warning("reactions_go_on_after_restore", applied=command.applied, discovered=command.discovered)

    async def _until_folded(self) -> None:
        """The comparison is made over tables: they hold what was just recorded, or it is not made."""
        position = await get_head(self._tools.pool)
        for _ in range(int(PATIENCE_SECONDS / PAUSE_SECONDS)):
            if await get_reached(self._tools.pool, NEEDED) >= position:
                return
            await asyncio.sleep(PAUSE_SECONDS)
        raise TablesBehind(wanted=position)
