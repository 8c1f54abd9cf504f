"""Chargebacks that no webhook told of: what waits at the processor, and what came since the last complete look.

One that the log holds open is asked about whenever its transaction is advanced, until it is over. So it is enough to
find what the log does not know: by status, however old it is, and by its day whatever has become of it since, because
one that came and went between two looks is in no list of those that wait.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from domain.transaction.chargeback_report import dispute_id_of
from gateways.chargeback import Chargeback, ChargebackStatus
from reactions.chargeback import LONGEST, OVER, reference_of
from reactions.checkpoint import find_last_time, save_checkpoint
from reactions.naming import find_transaction
from reactions.toolbox import Toolbox, find_readable

LOOK = "chargebacks"
UNRESOLVED = (ChargebackStatus.AWAITING_MERCHANT, ChargebackStatus.AWAITING_BANK, ChargebackStatus.PENDING)
OVERLAP = timedelta(days=1)
"""The processor's clock is not ours, and its lists may be late."""


class Disputed(NamedTuple):
    """A charge of ours with a chargeback that stands otherwise at the processor than here."""

    transaction_id: UUID
    reference: str


class Look(NamedTuple):
    """What was seen, and from when on the next look may begin once all of it has been recorded."""

    began_at: datetime
    disputed: tuple[Disputed, ...]


async def look_for_chargebacks(tools: Toolbox) -> Look:
    """Ask for what waits, and for all that came since the last complete look; the first one goes back half a year.

    Raises the processor's errors, of which nothing is concluded.
    """
    began_at = tools.clock()
    oldest = began_at - LONGEST
    last = await find_last_time(tools.pool, LOOK)
    since = oldest if last is None else max(oldest, last - OVERLAP)
    found = {one.processor_id: one for one in await tools.gateway.list_chargebacks(since=since)}
    for status in UNRESOLVED:
        waiting = await tools.gateway.list_chargebacks(since=oldest, status=status)
        found |= {one.processor_id: one for one in waiting}
    return Look(began_at, await _unheard(tools, found.values()))


async def remember_look(tools: Toolbox, look: Look) -> None:
    """All that was seen is recorded: the next look begins where this one began."""
    async with tools.pool.connection() as connection:
        await save_checkpoint(connection, LOOK, 0, look.began_at)


async def _unheard(tools: Toolbox, found: Iterable[Chargeback]) -> tuple[Disputed, ...]:
    disputed: dict[Disputed, None] = {}
    for one in found:
        reference = await reference_of(tools, one)
        transaction_id = await find_transaction(tools, reference) if reference else None
        if reference and transaction_id and not await _is_known(tools, transaction_id, one):
            disputed[Disputed(transaction_id, reference)] = None
    return tuple(disputed)


async def _is_known(tools: Toolbox, transaction_id: UUID, found: Chargeback) -> bool:
    """Whether the log has it as it stands: over, or open here and there; not where the log cannot be read."""
    transaction = await find_readable(tools.escrow, transaction_id)
    if transaction is None:
        return False
    number = str(found.processor_id)
    dispute = transaction.disputes.get(dispute_id_of(transaction_id, number))
    is_open = transaction.foreign_chargebacks.get(number) if dispute is None else dispute.is_open
    return is_open is not None and not (is_open and found.status in OVER)
