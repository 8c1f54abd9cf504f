"""What the processor wants from a person: the answer is sent, and only what a GET says afterwards is recorded.

A one-time password passes through here and is kept nowhere.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

from domain.errors import Invalid
from domain.money import Currency
from domain.transaction import Transaction
from domain.transaction.attention import PayoutNotAwaitingOtp, RefundNotAwaitingAccount
from domain.transaction.commands import TransactionCommand
from domain.transaction.records import Payout, Refund
from domain.transaction.refund import ProcessorRefundStatus, RefundReport
from domain.transaction.staff_commands import FinalizePayout, ResendOtp, RetryRefund
from domain.transaction.system_commands import RecordRefund, RecordTransfer
from domain.transaction.transfer import NOT_PAID, TransferReport, TransferStatus
from eventstore.escrow import Request, Result
from eventstore.log import find_command
from gateways.errors import GatewayRefused, GatewayUncertain
from gateways.payment import RefundAccount
from reactions import payout as payouts
from reactions import refund as refunds
from reactions.hold import HeldBack, is_held_back
from reactions.toolbox import Toolbox, order

OTP = re.compile(r"[0-9]{4,10}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyersAccount:
    """Where a refund is to go, as the buyer said; personal data. `bank_code` is as in payout accounts."""

    account_number: str = field(repr=False)
    bank_code: str


Keep = Callable[[Transaction], Awaitable[tuple[UUID, str]]]
"""Keeps the account of a refund outside the log; returns the id and the salted SHA-256 of what it has kept."""


class OtpWrong(Invalid):
    """The processor does not accept this one-time password; nothing has changed. Type it again, or have it resent."""

    code = "otp_wrong"


class AccountRefused(Invalid):
    """The processor does not accept this account for the refund, and nothing has changed."""

    code = "account_refused"


class BankUnknown(Invalid):
    """The processor knows no bank with this code for the currency of the refund."""

    code = "bank_unknown"


async def finalize_payout(
    tools: Toolbox, transaction_id: UUID, request: Request, wanted: FinalizePayout, otp: str
) -> Result[Transaction]:
    """Send the one-time password for a transfer, and record what became of it; a repeat is answered from the log.

    Raises what `Transaction.finalize_payout` raises, `OtpWrong`, `HeldBack`, and the processor's errors: ask again with
    the same key.
    """
    if await find_command(tools.pool, request.command_id) is None:
        transaction = await _rehearse(tools, transaction_id, request, wanted)
        payout = transaction.payout_awaiting_otp(wanted.reference)
        wanted = replace(wanted, report=await _send_otp(tools, transaction, payout, otp))
    return await tools.escrow.execute(transaction_id, wanted, request)


async def _send_otp(tools: Toolbox, transaction: Transaction, payout: Payout, otp: str) -> TransferReport:
    """Return what a GET says after the password was sent; without an answer, that decides alone.

    A refusal of a transfer that waits no longer says that somebody else has typed it, or that it is too late.
    """
    await _require_leave(tools, transaction)
    failure: GatewayRefused | GatewayUncertain | None = None
    try:
        await tools.gateway.finalize_transfer(await _code_of(tools, payout), otp)
    except (GatewayRefused, GatewayUncertain) as error:
        failure = error
    report = payouts.report_of(await tools.gateway.verify_transfer(payout.reference))
    if failure is not None and report.status is TransferStatus.OTP:
        raise OtpWrong(gateway_code=failure.gateway_code or None) if isinstance(failure, GatewayRefused) else failure
    if isinstance(failure, GatewayRefused) or report.status in NOT_PAID:
        await order(tools, payouts.NAME, transaction, RecordTransfer(report=report))
        raise PayoutNotAwaitingOtp
    return report


async def _require_leave(tools: Toolbox, transaction: Transaction) -> None:
    """Whoever types something sends money as the worker does: nothing goes out that the worker would hold back."""
    await tools.permit()
    if await is_held_back(tools, transaction.id):
        raise HeldBack


async def _code_of(tools: Toolbox, payout: Payout) -> str:
    return payout.transfer_code or (await tools.gateway.verify_transfer(payout.reference)).transfer_code


async def _rehearse(tools: Toolbox, transaction_id: UUID, request: Request, wanted: TransactionCommand) -> Transaction:
    """Return the transaction as it is, if the command would be carried out; raise what it would raise."""
    await tools.escrow.execute(transaction_id, wanted, request, dry_run=True)
    return await tools.escrow.get(Transaction, transaction_id)


async def resend_otp(tools: Toolbox, transaction_id: UUID, request: Request, wanted: ResendOtp) -> Result[Transaction]:
    """Have the one-time password for a transfer sent again; a repeat sends nothing.

    Raises what `Transaction.resend_otp` raises, and the processor's errors.
    """
    if await find_command(tools.pool, request.command_id) is None:
        transaction = await _rehearse(tools, transaction_id, request, wanted)
        payout = transaction.payout_awaiting_otp(wanted.reference)
        await tools.gateway.resend_otp(await _code_of(tools, payout))
    return await tools.escrow.execute(transaction_id, wanted, request)


async def retry_refund(
    tools: Toolbox, transaction_id: UUID, request: Request, wanted: RetryRefund, account: BuyersAccount, keep: Keep
) -> Result[Transaction]:
    """Send a refund to the buyer's account, and record what became of it; a repeat is answered from the log.

    The account is kept only once the processor has taken it. Raises what `Transaction.retry_refund` raises, `HeldBack`,
    `AccountRefused`, `BankUnknown`, and the processor's errors: ask again with the same key.
    """
    if await find_command(tools.pool, request.command_id) is None:
        transaction = await _rehearse(tools, transaction_id, request, wanted)
        refund = transaction.refund_awaiting_account(wanted.reference)
        report = await _send_account(tools, transaction, refund, account)
        content_id, content_sha256 = await keep(transaction)
        wanted = replace(wanted, content_id=content_id, content_sha256=content_sha256, report=report)
    return await tools.escrow.execute(transaction_id, wanted, request)


async def _send_account(
    tools: Toolbox, transaction: Transaction, refund: Refund, account: BuyersAccount
) -> RefundReport:
    """Return what a GET says after the account was sent; without an answer, that decides alone.

    A refusal of a refund that waits no longer says that it goes to another account, or has failed.
    """
    bank_id = await _find_bank(tools, refund.currency, account.bank_code)
    processor_id = int(refund.processor_refund_id or 0)
    sent = RefundAccount(currency=refund.currency, account_number=account.account_number, bank_id=bank_id)
    await _require_leave(tools, transaction)
    failure: GatewayRefused | GatewayUncertain | None = None
    try:
        await tools.gateway.retry_refund(processor_id, sent)
    except (GatewayRefused, GatewayUncertain) as error:
        failure = error
    report = refunds.report_of(refund, await tools.gateway.fetch_refund(processor_id))
    if failure is not None and report.status is ProcessorRefundStatus.NEEDS_ATTENTION:
        raise (
            AccountRefused(gateway_code=failure.gateway_code or None)
            if isinstance(failure, GatewayRefused)
            else failure
        )
    if isinstance(failure, GatewayRefused):
        await order(tools, refunds.NAME, transaction, RecordRefund(report=report))
        raise RefundNotAwaitingAccount
    return report


async def _find_bank(tools: Toolbox, currency: Currency, code: str) -> int:
    banks = await tools.gateway.list_banks(currency)
    found = next((bank.processor_id for bank in banks if bank.code == code and bank.is_active), None)
    if found is None:
        raise BankUnknown
    return found
