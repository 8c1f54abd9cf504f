"""Before money is paid by force: what failed is asked about once more, as before a payout that the program orders."""

from domain.transaction import Transaction
from domain.transaction.force import MayBePaid
from domain.transaction.records import PayoutPurpose
from reactions.payout import ask_late_payouts
from reactions.question import ask_all
from reactions.refund import ask_late_refunds
from reactions.toolbox import Toolbox


async def require_unpaid(tools: Toolbox, transaction: Transaction, purpose: PayoutPurpose) -> None:
    """Raise `MayBePaid` when an attempt that failed, or a refund that it would replace, was paid or may yet be.

    What the processor says is recorded. Raises its errors while it does not say: nobody knows then.
    """
    doubtful: set[str] = set()
    questions = ask_late_payouts(tools, transaction, purpose, doubtful)
    if purpose is PayoutPurpose.REFUND:
        questions |= ask_late_refunds(tools, transaction, doubtful)
    await ask_all(tools, transaction, questions)
    if doubtful:
        raise MayBePaid(references=sorted(doubtful))
