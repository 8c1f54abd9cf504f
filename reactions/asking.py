"""Asking about one reference by hand, or because the books differ there: as if its webhook had just come."""

from typing import NamedTuple
from uuid import UUID

from domain.errors import NotFound
from domain.transaction import Transaction
from reactions.advance import advance
from reactions.naming import find_transaction
from reactions.toolbox import Toolbox


class Answer(NamedTuple):
    """The transaction, its state now, and whether something was recorded."""

    transaction_id: UUID
    state: str
    changed: bool


async def ask_about(tools: Toolbox, reference: str) -> Answer:
    """Ask the processor and record what it says; raise `NotFound` for a reference that no transaction has."""
    transaction_id = await find_transaction(tools, reference)
    if transaction_id is None:
        raise NotFound
    before = await tools.escrow.get(Transaction, transaction_id)
    # Behind the reference of a charge there may be a chargeback that nobody heard of.
    await advance(tools, transaction_id, reference, is_disputed=reference.startswith("ch-"))
    after = await tools.escrow.get(Transaction, transaction_id)
    return Answer(transaction_id, after.state, after.version != before.version)
