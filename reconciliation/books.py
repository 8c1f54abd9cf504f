"""The processor's side: its lists and balances, read completely or not at all."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from gateways.bookkeeping import BalanceEntry, Bookkeeping, Settlement, SettlementStatus
from gateways.payment import Balance, Charge, Refund, Transfer

PADDING = timedelta(days=35)
"""Objects are asked for from this long before the window: what moves the balance in it may have begun before."""
TRIES = 3

L = TypeVar("L", BalanceEntry, Charge, Refund, Settlement, Transfer)


@dataclass(frozen=True, kw_only=True)
class Books:
    """What the processor says, each line once; `settled_charges` names the settlement of a charge, by their ids."""

    charges: tuple[Charge, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    refunds: tuple[Refund, ...] = ()
    settlements: tuple[Settlement, ...] = ()
    entries: tuple[BalanceEntry, ...] = ()
    balances: tuple[Balance, ...] = ()
    settled_charges: dict[int, int] = field(default_factory=dict[int, int])


async def read_books(processor: Bookkeeping, since: datetime) -> Books:
    """Ask for every list; raises the errors of `gateways.errors`, and then nothing is concluded from any of them."""
    from_then = since - PADDING
    settlements = _once(await processor.list_settlements(since=from_then))
    settled = {
        charge.processor_id: settlement.processor_id
        for settlement in settlements
        if settlement.status is SettlementStatus.SUCCESS
        for charge in await processor.list_settled_charges(settlement.processor_id)
    }
    entries, balances = await _read_balance(processor, from_then)
    return Books(
        charges=_once(await processor.list_charges(since=from_then)),
        transfers=_once(await processor.list_transfers(since=from_then)),
        refunds=_once(await processor.list_refunds(since=from_then)),
        settlements=settlements,
        entries=entries,
        balances=balances,
        settled_charges=settled,
    )


async def _read_balance(
    processor: Bookkeeping, since: datetime
) -> tuple[tuple[BalanceEntry, ...], tuple[Balance, ...]]:
    """Read lines and totals until nothing moved between the two."""
    before, entries = await processor.balance(), await processor.list_balance_entries(since=since)
    for _ in range(TRIES):
        after = await processor.balance()
        if before == after:
            break
        before, entries = after, await processor.list_balance_entries(since=since)
    return _once(entries), before


def _once(lines: tuple[L, ...]) -> tuple[L, ...]:
    """Lists shift between their pages: what was read twice under one id is one line, as it was read last."""
    return tuple({line.processor_id: line for line in lines}.values())
