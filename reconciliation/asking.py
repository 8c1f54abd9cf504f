"""The harmless differences settle themselves: what is under a reference of ours is asked about, and recorded.

To ask is always harmless: a GET, and the command that records what it said. So that a webhook which never came, and is
older than what the worker looks through by itself, needs no hand.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import islice
from typing import NamedTuple
from uuid import UUID

import structlog

from domain.errors import EscrowError
from reconciliation.command import reference_asked
from reconciliation.run import Desk, reconcile

MOST_ASKED = 500
"""What is more is no lost webhook: a person looks first."""

logger = structlog.get_logger("reconciliation")


class Answer(NamedTuple):
    """The transaction, its state now, and whether something was recorded."""

    transaction_id: UUID
    state: str
    changed: bool


Ask = Callable[[str], Awaitable[Answer]]
"""Asks the processor about one reference and records what it says. Raises `NotFound` for one that is not ours."""


class Asked(NamedTuple):
    """What came of asking about a reference: `error` is the code of what was in the way."""

    reference: str
    transaction_id: UUID | None
    state: str | None
    changed: bool
    error: str | None


async def ask_about_differences(
    desk: Desk, ask: Ask, *, since: datetime | None = None, until: datetime | None = None
) -> tuple[Asked, ...]:
    """Ask about every difference that asking can settle, each reference once; raises what `reconcile` raises.

    Beyond `MOST_ASKED` they are only listed, and the log says so.
    What one answer is missing for does not keep the others from being asked about.
    """
    run = await reconcile(desk, None, since=since, until=until)
    commands = (reference_asked(difference.command) for difference in run.outcome.differences)
    references = dict.fromkeys(reference for reference in commands if reference is not None)
    if len(references) > MOST_ASKED:
        logger.warning("reconciliation_not_asked", found=len(references), asked=MOST_ASKED)
    return tuple([await _ask(ask, reference) for reference in islice(references, MOST_ASKED)])


async def _ask(ask: Ask, reference: str) -> Asked:
    try:
        answer = await ask(reference)
    except EscrowError as error:
        return Asked(reference, None, None, changed=False, error=error.code)
    return Asked(reference, answer.transaction_id, answer.state, answer.changed, None)
