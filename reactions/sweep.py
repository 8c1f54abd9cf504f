"""What no webhook told of and nobody waits for: money on a page that was given up, and payouts that were taken back.

Reconciliation would name both the next day; here they are found within minutes, by what the processor lists.
"""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import NamedTuple, cast
from uuid import UUID

from database.queries import load
from domain.transaction import Transaction
from gateways.payment import Charge, TransferStatus
from reactions.payment import PAID
from reactions.payment import SQL as PAYMENT_SQL
from reactions.toolbox import Toolbox

SQL = load("reactions", "sweep.sql")
LOOK_BACK = timedelta(days=3)
"""By the day on which a charge or transfer was made; what is older is left to reconciliation."""


class Unheard(NamedTuple):
    """A reference of ours that stands otherwise at the processor than here."""

    transaction_id: UUID
    reference: str


async def list_unheard(tools: Toolbox) -> AsyncGenerator[Unheard]:
    """Yield what is to be asked about again. Raises the processor's errors, of which nothing is concluded."""
    since = tools.clock() - LOOK_BACK
    for charge in await tools.gateway.list_charges(since=since):
        if charge.status in PAID:
            transaction_id = await _payer(tools, charge.reference)
            if transaction_id and not await _knows(tools, transaction_id, charge):
                yield Unheard(transaction_id, charge.reference)
    transfers = await tools.gateway.list_transfers(since=since)
    reversed_ones = [transfer.reference for transfer in transfers if transfer.status is TransferStatus.REVERSED]
    async with tools.pool.connection() as connection:
        rows = await (await connection.execute(SQL.list_believed_paid, (reversed_ones,))).fetchall()
    for transaction_id, reference in rows:
        yield Unheard(transaction_id, reference)


async def _payer(tools: Toolbox, reference: str) -> UUID | None:
    async with tools.pool.connection() as connection:
        row = await (await connection.execute(PAYMENT_SQL.find_transaction, (reference,))).fetchone()
    return cast("UUID", row[0]) if row else None


async def _knows(tools: Toolbox, transaction_id: UUID, charge: Charge) -> bool:
    transaction = await tools.escrow.get(Transaction, transaction_id)
    number = str(charge.processor_id)
    if charge.fee_minor is not None and not _knows_fee(transaction, charge):
        return False
    return number == transaction.processor_charge_id or number in transaction.seen_charges


def _knows_fee(transaction: Transaction, charge: Charge) -> bool:
    """The first answer about a charge can lack it."""
    if str(charge.processor_id) == transaction.processor_charge_id:
        return transaction.charge_fee_minor is not None
    return charge.reference in transaction.stray_fees
