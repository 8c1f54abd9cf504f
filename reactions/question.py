"""Questions about several things at once: what the processor refuses to say of one holds up none of the others.

To refuse is not to be silent: when the processor does not answer at all, nobody asks any further.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from domain.transaction import Transaction
from domain.transaction.system_commands import RecordAnsweredQuestion, RecordRefusedQuestion
from gateways.errors import GatewayRefused, UnknownReference
from reactions.toolbox import Toolbox, record

NAME = "questions"
REFUSALS = (GatewayRefused, UnknownReference)
PATIENCE = timedelta(minutes=10)
"""What it accepted a moment ago the processor may not know yet: staff are told once nothing has happened for that."""

Ask = Callable[[], Awaitable[bool]]
"""Asks, and records what the answer says; True when that changed the transaction."""


async def ask_each(tools: Toolbox, transaction: Transaction, questions: Mapping[str, Ask]) -> bool:
    """Ask about each reference; True when anything was recorded, else the first refusal is raised at the end."""
    changed, first = False, None
    for reference, ask in questions.items():
        try:
            changed |= await ask()
        except REFUSALS as refusal:
            first = first or refusal
            changed |= await _note_refused(tools, transaction, reference, refusal)
        else:
            changed |= await _note_answered(tools, transaction, reference)
    if first is not None and not changed:
        raise first
    return changed


async def _note_refused(
    tools: Toolbox, transaction: Transaction, reference: str, refusal: GatewayRefused | UnknownReference
) -> bool:
    is_old_news = reference in transaction.refused_questions
    if is_old_news or tools.clock() < transaction.modified_on + PATIENCE:
        return False
    command = RecordRefusedQuestion(reference=reference, refusal=refusal.gateway_code or refusal.code)
    return await record(tools, NAME, transaction.id, command)


async def _note_answered(tools: Toolbox, transaction: Transaction, reference: str) -> bool:
    if reference not in transaction.refused_questions:
        return False
    return await record(tools, NAME, transaction.id, RecordAnsweredQuestion(reference=reference))
