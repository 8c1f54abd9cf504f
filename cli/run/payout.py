"""What `escrow payout` does: answers to what the processor wants from a person."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from cli.operator import make_request, run_on_ground
from cli.output import report
from cli.wiring import toolbox_of
from database.clock import read_clock
from domain.errors import Refused
from domain.transaction import Transaction
from domain.transaction.records import Payout, PayoutStatus
from domain.transaction.staff_commands import OrderOtp, TypeOtp
from reactions import attention
from reactions.toolbox import Toolbox


def finalize_payout(transaction_id: UUID, reference: str | None, reason: str, otp: str, *, as_json: bool) -> None:
    """Send a one-time password and print what became of the payout; the same again is answered the same."""

    async def finalize(tools: Toolbox) -> Transaction:
        transaction = await tools.escrow.get(Transaction, transaction_id)
        request = make_request("attention", *_key_of(transaction, reference))
        wanted = TypeOtp(reference=reference, reason=reason)
        return (await attention.finalize_payout(tools, transaction_id, request, wanted, otp)).aggregate

    attend(finalize, as_json=as_json)


def resend(transaction_id: UUID, reference: str | None, *, as_json: bool) -> None:
    """Have a one-time password sent again."""

    async def send(tools: Toolbox) -> Transaction:
        request = make_request("attention", "resend", str(transaction_id), read_clock().isoformat())
        return (await attention.resend_otp(tools, transaction_id, request, OrderOtp(reference=reference))).aggregate

    attend(send, as_json=as_json)


def attend(work: Callable[[Toolbox], Awaitable[Transaction]], *, as_json: bool) -> None:
    """Do something for a transaction, and print where it stands now."""
    transaction = run_on_ground(lambda ground: work(toolbox_of(ground)))
    facts = {"id": transaction.id, "state": transaction.state, "stuck_reason": transaction.stuck_reason}
    sentence = f"{transaction.id}: {transaction.state}, {transaction.stuck_reason or 'nothing is left to do'}"
    report(facts, sentence, as_json=as_json)


def _key_of(transaction: Transaction, reference: str | None) -> tuple[str, ...]:
    """Return the same facts until the processor asks for another password."""
    payout = _find(transaction, reference)
    if payout is None:
        return "finalize", str(transaction.id)
    is_open = payout.status is PayoutStatus.OTP or payout.otp_by is not None
    typed = payout.otp_typed if is_open else payout.otp_typed - 1
    return "finalize", payout.reference, str(typed)


def _find(transaction: Transaction, reference: str | None) -> Payout | None:
    """The payout that is meant, or else the one that waits, or else the last one."""
    try:
        return transaction.payout_awaiting_otp(reference)
    except Refused:
        last = next(reversed(transaction.payouts.values()), None)
        return last if reference is None else transaction.payouts.get(reference)
