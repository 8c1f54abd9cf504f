"""What no webhook told of and nobody waits for: money on a page that was given up, and payouts that were taken back.

Reconciliation would name both the next day; here they are found within minutes, by what the processor lists.
"""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from domain.transaction import Transaction
from domain.transaction.records import PayoutStatus
from gateways.payment import Charge, Transfer, TransferStatus
from reactions.payment import PAID
from reactions.toolbox import Toolbox
from reactions.watch import Watch

LOOK_BACK = timedelta(days=3)
"""By the day on which a charge or transfer was made; what is older is left to reconciliation."""


class Unheard(NamedTuple):
    """A reference of ours that stands otherwise at the processor than here."""

    transaction_id: UUID
    reference: str


async def list_unheard(tools: Toolbox, watch: Watch) -> AsyncGenerator[Unheard]:
    """Yield what is to be asked about again. Raises the processor's errors, of which nothing is concluded."""
    since = tools.clock() - LOOK_BACK
    charges = await tools.gateway.list_charges(since=since)
    paid = {charge.reference: charge for charge in charges if charge.status in PAID}
    for reference, transaction_id in (await watch.find(paid)).items():
        if not _knows_charge(await tools.escrow.get(Transaction, transaction_id), paid[reference]):
            yield Unheard(transaction_id, reference)
    transfers = await tools.gateway.list_transfers(since=since)
    taken = {transfer.reference: transfer for transfer in transfers if transfer.status is TransferStatus.REVERSED}
    for reference, transaction_id in (await watch.find(taken)).items():
        if _believes_paid(await tools.escrow.get(Transaction, transaction_id), taken[reference]):
            yield Unheard(transaction_id, reference)


def _knows_charge(transaction: Transaction, charge: Charge) -> bool:
    number = str(charge.processor_id)
    if charge.fee_minor is not None and not _knows_fee(transaction, charge):
        return False
    return number == transaction.processor_charge_id or number in transaction.seen_charges


def _knows_fee(transaction: Transaction, charge: Charge) -> bool:
    """The first answer about a charge can lack it."""
    if str(charge.processor_id) == transaction.processor_charge_id:
        return transaction.charge_fee_minor is not None
    return charge.reference in transaction.stray_fees


def _believes_paid(transaction: Transaction, transfer: Transfer) -> bool:
    payout = transaction.payouts.get(transfer.reference)
    return payout is not None and payout.status is PayoutStatus.SUCCEEDED
