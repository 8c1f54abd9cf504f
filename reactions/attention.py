"""What the processor wants from a person: the answer is sent, and only what a GET says afterwards is recorded.

A one-time password passes through here and is kept nowhere.
"""

from dataclasses import replace
from uuid import UUID

from domain.errors import Invalid
from domain.transaction import Transaction
from domain.transaction.attention import PayoutNotAwaitingOtp
from domain.transaction.commands import RecordTransfer, TransactionCommand
from domain.transaction.payout import NOT_PAID, TransferReport, TransferStatus
from domain.transaction.records import Payout
from domain.transaction.staff_commands import FinalizePayout, ResendOtp
from eventstore.escrow import Request, Result
from eventstore.log import find_command
from gateways.errors import GatewayRefused, GatewayUncertain
from reactions.payout import NAME, report_of
from reactions.toolbox import Toolbox, order


class OtpWrong(Invalid):
    """The processor does not accept this one-time password; nothing has changed. Type it again, or have it resent."""

    code = "otp_wrong"


async def finalize_payout(
    tools: Toolbox, transaction_id: UUID, request: Request, wanted: FinalizePayout, otp: str
) -> Result[Transaction]:
    """Send the one-time password for a transfer, and record what became of it; a repeat is answered from the log.

    Raises what `Transaction.finalize_payout` raises, `OtpWrong`, and the processor's errors: ask again, same key.
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
    failure: GatewayRefused | GatewayUncertain | None = None
    try:
        await tools.gateway.finalize_transfer(await _code_of(tools, payout), otp)
    except (GatewayRefused, GatewayUncertain) as error:
        failure = error
    report = report_of(await tools.gateway.verify_transfer(payout.reference))
    if failure is not None and report.status is TransferStatus.OTP:
        raise OtpWrong(gateway_code=failure.gateway_code or None) if isinstance(failure, GatewayRefused) else failure
    if isinstance(failure, GatewayRefused) or report.status in NOT_PAID:
        await order(tools, NAME, transaction, RecordTransfer(report=report))
        raise PayoutNotAwaitingOtp
    return report


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
