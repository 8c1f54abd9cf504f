"""The processor's side: its lists and balances, read completely or not at all."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateways.bookkeeping import BalanceEntry, Bookkeeping, Settlement, SettlementStatus
from gateways.errors import GatewayUncertain
from gateways.payment import Balance, Charge, Refund, Transfer

PADDING = timedelta(days=35)
"""Objects are asked for from this long before the window: what moves the balance in it may have begun before."""
TRIES = 5
"""So often it is looked whether the balance has moved while its lines were read."""


@dataclass(frozen=True, kw_only=True)
class Books:
    """What the processor says; `settled_charges` names the settlement of a charge, by their ids."""

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
    settlements = await processor.list_settlements(since=from_then)
    settled = {
        charge.processor_id: settlement.processor_id
        for settlement in settlements
        if settlement.status is SettlementStatus.SUCCESS
        for charge in await processor.list_settled_charges(settlement.processor_id)
    }
    entries, balances = await _read_balance(processor, from_then)
    return Books(
        charges=await processor.list_charges(since=from_then),
        transfers=await processor.list_transfers(since=from_then),
        refunds=await processor.list_refunds(since=from_then),
        settlements=settlements,
        entries=entries,
        balances=balances,
        settled_charges=settled,
    )


async def _read_balance(
    processor: Bookkeeping, since: datetime
) -> tuple[tuple[BalanceEntry, ...], tuple[Balance, ...]]:
    """Read lines and totals until nothing moved between the two; raises `GatewayUncertain` if something always does.

    Only what may be new is read again: a balance that moves every minute stands still for as long as that takes.
    """
    before, entries = await processor.balance(), await _read_entries(processor, since)
    for _ in range(TRIES):
        after = await processor.balance()
        if before == after:
            return tuple(entries.values()), before
        newest = max((each.created_at for each in entries.values() if each.created_at is not None), default=since)
        before, entries = after, entries | await _read_entries(processor, newest)
    raise GatewayUncertain("the balance moved each time that its lines were read")


async def _read_entries(processor: Bookkeeping, since: datetime) -> dict[int, BalanceEntry]:
    return {entry.processor_id: entry for entry in await processor.list_balance_entries(since=since)}
