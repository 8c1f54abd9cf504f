"""Deadlines: what a recorded time demands once the injected clock has passed it."""

from domain.transaction import Transaction
from domain.transaction.system_commands import EnforceDeadline
from reactions.outage import find_last_sign, is_outage
from reactions.toolbox import Toolbox, order


async def enforce_deadline(tools: Toolbox, transaction: Transaction) -> bool:
    """Act on the earliest deadline that has passed."""
    deadline = transaction.next_deadline
    if deadline is None or tools.clock() < deadline.at:
        return False
    last = await find_last_sign(tools.pool)
    if last is not None and is_outage(last, tools.clock()):
        return False  # perhaps it is later than it says: the worker makes up for the outage first
    await order(tools, "deadlines", transaction, EnforceDeadline())
    return True
