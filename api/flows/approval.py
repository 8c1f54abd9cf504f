"""Decisions of staff: carried out at once, or accepted for a second pair of eyes."""

from uuid import UUID

from starlette.responses import Response

from api.command import Desk
from api.reads.waiting import wait_for_position
from api.views.transaction import TransactionView
from domain.command import Command
from domain.errors import NotFound
from domain.transaction import Transaction
from eventstore.log import get_head
from projections.approval import get_approval

ACCEPTED = 202


async def decide(desk: Desk, transaction_id: UUID, command: Command[Transaction]) -> Response:
    """Answer 200 for what was done and 202 for what waits; `pending_approvals` then names the request."""
    result = await desk.run(transaction_id, command)
    transaction = result.aggregate
    waits = any(request.at_version == transaction.version for request in transaction.pending_approvals)
    view = TransactionView.of(transaction, desk.actor)
    return desk.answer(result, view, status=ACCEPTED if waits else 200)


async def answer_request(desk: Desk, approval_id: UUID, command: Command[Transaction]) -> Response:
    """Carry out what somebody answers to a request for a second pair of eyes. Raises NotFound."""
    return await desk.execute(await _find_transaction(desk, approval_id), command, TransactionView.of)


async def _find_transaction(desk: Desk, approval_id: UUID) -> UUID:
    dependencies = desk.dependencies
    approval = await get_approval(dependencies.pool, approval_id)
    if approval is None:
        # It may have been asked for a moment ago: a read model that lags must not say that there is nothing.
        await wait_for_position(dependencies, await get_head(dependencies.pool))
        approval = await get_approval(dependencies.pool, approval_id)
    if approval is None:
        raise NotFound
    return approval.transaction_id
