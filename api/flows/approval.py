"""Decisions of staff: carried out at once, or accepted for a second pair of eyes."""

from collections.abc import Callable
from uuid import UUID

from starlette.responses import Response

from api.command import Desk
from api.flows.payment import toolbox_of
from api.reads.waiting import wait_for_position
from api.views.transaction import TransactionView
from domain.command import Command
from domain.errors import NotFound
from domain.transaction import Transaction
from domain.transaction.force import MayBePaid
from domain.transaction.records import PayoutPurpose
from domain.transaction.staff_commands import ForceRelease, GrantApproval
from eventstore.log import get_head
from projections.approval import get_approval
from reactions.force import require_unpaid

ACCEPTED = 202


async def decide(desk: Desk, transaction_id: UUID, command: Command[Transaction]) -> Response:
    """Answer 200 for what was done and 202 for what waits; `pending_approvals` then names the request."""
    result = await desk.run(transaction_id, command)
    transaction = result.aggregate
    waits = any(request.at_version == transaction.version for request in transaction.pending_approvals)
    view = TransactionView.of(transaction, desk.actor)
    return desk.answer(result, view, status=ACCEPTED if waits else 200)


async def release(desk: Desk, transaction_id: UUID, command: ForceRelease) -> Response:
    """Decide the same way about a release. Raises `MayBePaid`, and the processor's errors, for a payout."""
    await _ask_first(
        desk, transaction_id, command, lambda it: it.purpose_of_release(command.purpose, command.recipient)
    )
    return await decide(desk, transaction_id, command)


async def approve(desk: Desk, approval_id: UUID) -> Response:
    """Agree with a request for a second pair of eyes. Raises NotFound, and for a payout what `release` raises."""
    transaction_id, command = await _find_transaction(desk, approval_id), GrantApproval(approval_id=approval_id)
    await _ask_first(desk, transaction_id, command, lambda it: it.approvals[approval_id].purpose)
    return await desk.execute(transaction_id, command, TransactionView.of)


async def _ask_first(
    desk: Desk,
    transaction_id: UUID,
    command: Command[Transaction],
    purpose_of: Callable[[Transaction], PayoutPurpose | None],
) -> None:
    """Ask the processor before a payout is ordered again, unless that is a repeat, or a rehearsal."""
    if desk.is_dry or await desk.rehearse(transaction_id, command) is None:
        return
    escrow = desk.dependencies.escrow
    transaction = await escrow.get(Transaction, transaction_id)
    purpose = purpose_of(transaction)
    if purpose is None:
        return
    try:
        await require_unpaid(toolbox_of(desk), transaction, purpose)
    except MayBePaid as refusal:
        found = await escrow.get(Transaction, transaction_id)
        refusal.state = found.state
        refusal.allowed_actions = found.allowed_actions(desk.actor, desk.dependencies.clock())
        raise


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
