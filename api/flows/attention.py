"""What the processor wants from staff: sent there first, recorded when a GET has shown what became of it."""

from uuid import UUID

from starlette.responses import Response

from api.command import Desk
from api.flows.pay import toolbox_of
from api.views.transaction import TransactionView
from domain.transaction import Transaction
from domain.transaction.staff_commands import FinalizePayout, ResendOtp
from reactions.attention import finalize_payout, resend_otp


async def type_otp(desk: Desk, transaction_id: UUID, wanted: FinalizePayout, otp: str) -> Response:
    """Finish a payout with its one-time password. Raises what `finalize_payout` raises."""
    if desk.is_dry:
        return await desk.execute(transaction_id, wanted, TransactionView.of)
    await desk.require_version(Transaction, transaction_id)
    result = await finalize_payout(toolbox_of(desk), transaction_id, desk.request, wanted, otp)
    return desk.answer(result, TransactionView.of(result.aggregate, desk.actor))


async def order_otp(desk: Desk, transaction_id: UUID, wanted: ResendOtp) -> Response:
    """Have a one-time password sent again. Raises what `resend_otp` raises."""
    if desk.is_dry:
        return await desk.execute(transaction_id, wanted, TransactionView.of)
    await desk.require_version(Transaction, transaction_id)
    result = await resend_otp(toolbox_of(desk), transaction_id, desk.request, wanted)
    return desk.answer(result, TransactionView.of(result.aggregate, desk.actor))
