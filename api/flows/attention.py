"""What the processor wants from staff: recorded, then sent there, then what became of it, as a GET has shown."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from starlette.responses import Response

from api.command import Desk
from api.content import keep_about, rehearse_content
from api.flows.payment import toolbox_of
from api.views.transaction import TransactionView
from domain.content import SALT_BYTES
from domain.ids import RandomBytes
from domain.transaction import Transaction
from domain.transaction.commands import TransactionCommand
from domain.transaction.staff_commands import GiveRefundAccount, OrderOtp, TypeOtp
from eventstore.escrow import Request, Result
from reactions.attention import BuyersAccount, Keep, finalize_payout, resend_otp, retry_refund
from reactions.toolbox import Toolbox

KIND = "refund_account"

Send = Callable[[Toolbox], Awaitable[Result[Transaction]]]
"""Asks the processor, and records what a GET says of it."""


async def type_otp(desk: Desk, transaction_id: UUID, wanted: TypeOtp, otp: str) -> Response:
    """Finish a payout with its one-time password. Raises what `finalize_payout` raises."""

    async def send(tools: Toolbox) -> Result[Transaction]:
        return await finalize_payout(
            tools, transaction_id, desk.request, wanted, otp, expected_version=desk.expected_version
        )

    return await _send_first(desk, transaction_id, wanted, send)


async def order_otp(desk: Desk, transaction_id: UUID, wanted: OrderOtp) -> Response:
    """Have a one-time password sent again. Raises what `resend_otp` raises."""

    async def send(tools: Toolbox) -> Result[Transaction]:
        return await resend_otp(tools, transaction_id, desk.request, wanted, expected_version=desk.expected_version)

    return await _send_first(desk, transaction_id, wanted, send)


async def send_refund_to(
    desk: Desk, transaction_id: UUID, reference: str | None, reason: str, account: BuyersAccount
) -> Response:
    """Send a refund that needs attention to the buyer's account. Raises what `retry_refund` raises."""
    wanted = want_retry(desk.request, reference, reason)

    async def send(tools: Toolbox) -> Result[Transaction]:
        keep = keep_account(tools, desk.dependencies.random_bytes, desk.request, account)
        return await retry_refund(
            tools, transaction_id, desk.request, wanted, account, keep, expected_version=desk.expected_version
        )

    return await _send_first(desk, transaction_id, wanted, send)


async def _send_first(desk: Desk, transaction_id: UUID, wanted: TransactionCommand, send: Send) -> Response:
    """Rehearse what is wanted, or have it sent and answer with what became of it."""
    if desk.is_dry:
        return await desk.execute(transaction_id, wanted, TransactionView.of)
    result = await send(toolbox_of(desk))
    return desk.answer(result, TransactionView.of(result.aggregate, desk.actor))


def want_retry(request: Request, reference: str | None, reason: str) -> GiveRefundAccount:
    """Return the command as it is rehearsed, before the account is kept."""
    content = rehearse_content(request, KIND)
    return GiveRefundAccount(reference=reference, reason=reason, content_id=content.id, content_sha256=content.sha256)


def keep_account(tools: Toolbox, random_bytes: RandomBytes, request: Request, account: BuyersAccount) -> Keep:
    """Return how an account is kept: as something about the buyer, who may have it erased."""

    async def keep(buyer_id: UUID) -> str:
        text = {"bank_code": account.bank_code, "account_number": account.account_number}
        return (await keep_about(tools, request, random_bytes(SALT_BYTES), buyer_id, KIND, text)).sha256

    return keep
