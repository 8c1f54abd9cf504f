"""What waits because the balance at the processor is too low: people must top it up, and are told by how much."""

from typing import Literal
from uuid import UUID

import structlog

from database.queries import load
from domain.money import Money
from reactions.toolbox import Toolbox

SQL = load("reactions", "shortfall.sql")

logger = structlog.get_logger("reactions")


async def note_shortfall(
    tools: Toolbox, kind: Literal["payout", "refund"], transaction_id: UUID, reference: str, amount: Money
) -> None:
    """Raise the alert `balance_insufficient`, once for as long as this payout or refund waits."""
    facts = {"kind": kind, "reference": reference, "currency": amount.currency, "amount_minor": amount.amount_minor}
    async with tools.pool.connection() as connection:
        asked = await connection.execute(SQL.note, {**facts, "transaction_id": transaction_id, "at": tools.clock()})
        began = await asked.fetchone() is not None
    if began:
        logger.warning("balance_insufficient", transaction_id=str(transaction_id), **facts)


async def settle_shortfall(tools: Toolbox, reference: str) -> None:
    """It was sent, or refused for another reason: the top-up is not what it waits for."""
    async with tools.pool.connection() as connection:
        await connection.execute(SQL.settle, {"reference": reference, "at": tools.clock()})
