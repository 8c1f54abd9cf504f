"""Deadlines: what a recorded time demands once the injected clock has passed it."""

from domain.transaction import Transaction
from domain.transaction.commands import EnforceDeadline
from reactions.toolbox import Toolbox, order


async def enforce_deadline(tools: Toolbox, transaction: Transaction) -> bool:
    """Act on the earliest deadline that has passed."""
    deadline = transaction.next_deadline
    if deadline is None or tools.clock() < deadline.at:
        return False
    await order(tools, "deadlines", transaction, EnforceDeadline())
    return True
