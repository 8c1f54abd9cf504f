"""What a seller owes is taken from what he is owed on another sale, before anything of that is paid out."""

from uuid import UUID

from database.queries import load
from domain.transaction import Transaction
from domain.transaction.records import PayoutPurpose
from domain.transaction.system_commands import WithholdPayable
from reactions.hold import is_held_back
from reactions.payout import find_late_success, request_payout
from reactions.toolbox import Toolbox, order

SQL = load("reactions", "clawback.sql")
NAME = "clawback"


async def pay_seller(tools: Toolbox, transaction: Transaction) -> bool:
    """Let what is payable to the seller pay his debts, the oldest first, and order a payout of what is left then.

    It is one step: while it is not known whether a debt can be taken, nothing is paid. True when a debt was taken or a
    payout ordered, and the next round looks again. The list of debts may lag behind the log: a debt that is missing
    waits for his next sale, and one that is there is asked for in the log before it is taken.
    """
    owing_id = await _find_debt(tools, transaction)
    if owing_id is None:
        return await request_payout(tools, transaction, PayoutPurpose.SELLER)
    if await find_late_success(tools, transaction, PayoutPurpose.SELLER):
        return False  # what had failed was paid after all, or may yet be: there may be nothing to take
    await order(tools, NAME, transaction, WithholdPayable(owing_transaction_id=owing_id))
    return True


async def _find_debt(tools: Toolbox, transaction: Transaction) -> UUID | None:
    """Return the sale on which the seller owes for longest, where that can be taken from this one."""
    if transaction.has_open_dispute or transaction.payable_minor(PayoutPurpose.SELLER) == 0:
        return None
    for owing_id in await _list_debts(tools, transaction):
        owing = await tools.escrow.get(Transaction, owing_id)
        if owing.receivable_minor > 0 and not await is_held_back(tools, owing_id):
            return owing_id
    return None


async def _list_debts(tools: Toolbox, transaction: Transaction) -> list[UUID]:
    facts = {
        "seller_id": transaction.seller_id,
        "currency": transaction.price.currency,
        "transaction_id": transaction.id,
    }
    async with tools.pool.connection() as connection:
        return [row[0] for row in await (await connection.execute(SQL.list_debts, facts)).fetchall()]
