"""Questions about several things at once: what the processor refuses to say of one holds up none of the others.

To refuse is not to be silent: when the processor does not answer at all, nobody asks any further.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from domain.policy import UNKNOWN_AT_MOST
from domain.transaction import Transaction
from domain.transaction.system_commands import RecordAnsweredQuestion, RecordRefusedQuestion
from gateways.errors import GatewayError, GatewayRefused, UnknownReference
from reactions.toolbox import Toolbox, record

NAME = "questions"
REFUSALS = (GatewayRefused, UnknownReference)
PATIENCE = UNKNOWN_AT_MOST
"""Staff are told of what the processor refuses to say for so long."""

T = TypeVar("T")
Ask = Callable[[], Awaitable[bool]]
"""Asks, and records what the answer says; True when that changed the transaction."""


class Passed(Exception):
    """A refusal, or an answer that says nothing for certain: staff are told, and nothing else has to wait for it."""

    def __init__(self, refusal: GatewayError) -> None:
        """Keep what the processor said."""
        super().__init__()
        self.refusal = refusal


async def ask_each(tools: Toolbox, transaction: Transaction, questions: Mapping[str, Ask]) -> bool:
    """Ask about each reference; True when anything was recorded, else the first refusal is raised at the end.

    What is `Passed` is not raised.
    """
    changed, first = False, None
    for reference, ask in questions.items():
        try:
            changed |= await ask()
        except Passed as passed:
            changed |= await _note_refused(tools, transaction, reference, passed.refusal)
        except REFUSALS as refusal:
            first = first or refusal
            changed |= await _note_refused(tools, transaction, reference, refusal)
        else:
            changed |= await _note_answered(tools, transaction, reference)
    if first is not None and not changed:
        raise first
    return changed


async def ask_first(tools: Toolbox, transaction: Transaction, reference: str, ask: Callable[[], Awaitable[T]]) -> T:
    """Ask about a reference what everything else waits for: a refusal is noted, and raised at once."""
    try:
        answer = await ask()
    except REFUSALS as refusal:
        await _note_refused(tools, transaction, reference, refusal)
        raise
    await _note_answered(tools, transaction, reference)
    return answer


async def ask_all(tools: Toolbox, transaction: Transaction, questions: Mapping[str, Ask]) -> None:
    """Ask about each reference what a person waits for: what is `Passed` is noted, and a refusal raised, at once."""
    for reference, ask in questions.items():
        try:
            await ask()
        except Passed as passed:
            await _record_refused(tools, transaction, reference, passed.refusal)
        else:
            await _note_answered(tools, transaction, reference)


async def _note_refused(tools: Toolbox, transaction: Transaction, reference: str, refusal: GatewayError) -> bool:
    since = tools.refused_since.setdefault((transaction.id, reference), tools.clock())
    if reference in transaction.refused_questions or tools.clock() < since + PATIENCE:
        return False
    return await _record_refused(tools, transaction, reference, refusal)


async def _record_refused(tools: Toolbox, transaction: Transaction, reference: str, refusal: GatewayError) -> bool:
    command = RecordRefusedQuestion(reference=reference, refusal=refusal.gateway_code or refusal.code)
    return await record(tools, NAME, transaction.id, command)


async def close_questions(tools: Toolbox, transaction: Transaction) -> bool:
    """Note as answered what is asked no more: a webhook, a list or a person has settled it."""
    noted = {reference for transaction_id, reference in tools.refused_since if transaction_id == transaction.id}
    changed = False
    for reference in sorted(noted | transaction.refused_questions.keys()):
        if not transaction.is_in_question(reference):
            changed |= await _note_answered(tools, transaction, reference)
    return changed


async def _note_answered(tools: Toolbox, transaction: Transaction, reference: str) -> bool:
    _ = tools.refused_since.pop((transaction.id, reference), None)
    if reference not in transaction.refused_questions:
        return False
    return await record(tools, NAME, transaction.id, RecordAnsweredQuestion(reference=reference))
