"""What the processor wants from a person: that he answers is recorded, then it is sent, then what a GET says of it.

Whoever dies in between is carried on from there by a repeat; what the processor did meanwhile the worker finds out. A
one-time password passes through here and is kept nowhere.
"""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from domain.errors import Invalid, Refused
from domain.money import Currency
from domain.transaction import Transaction
from domain.transaction.attention import PayoutNotAwaitingOtp, RefundNotAwaitingAccount
from domain.transaction.commands import TransactionCommand
from domain.transaction.records import Payout, PayoutStatus, Refund, RefundStatus
from domain.transaction.refund import ProcessorRefundStatus
from domain.transaction.staff_commands import (
    FinalizePayout,
    GiveRefundAccount,
    OrderOtp,
    RefuseOtp,
    RefuseRefundAccount,
    ResendOtp,
    RetryRefund,
    TypeOtp,
)
from domain.transaction.transfer import NOT_PAID, TransferStatus
from eventstore.escrow import Request, Result
from eventstore.log import find_command
from gateways.errors import GatewayRefused, GatewayUncertain
from gateways.payment import RefundAccount
from reactions import payout as payouts
from reactions import refund as refunds
from reactions.checkpoint import forget_time, save_unless_since
from reactions.hold import HeldBack, is_held_back
from reactions.toolbox import Toolbox

OTP = re.compile(r"[0-9]{4,10}", re.ASCII)
TURN = timedelta(minutes=5)
"""Longer than an order to the processor and the questions after it can last: who was killed holds nobody up longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyersAccount:
    """Where a refund is to go, as the buyer said; personal data. `bank_code` is as in payout accounts."""

    account_number: str = field(repr=False)
    bank_code: str


Keep = Callable[[UUID], Awaitable[str]]
"""Keeps an account of somebody outside the log; returns the salted SHA-256 of what it has kept, a repeat the same."""


class AttentionUnderWay(Refused):
    """Somebody is answering Paystack about this transaction, or was cut off in it; ask again in some minutes."""

    code = "attention_under_way"


class OtpWrong(Invalid):
    """The processor does not accept this one-time password; no money has moved. Type it again, or have it resent."""

    code = "otp_wrong"


class AccountRefused(Invalid):
    """The processor does not accept this account, and the refund still waits for one; give another with a new key."""

    code = "account_refused"


class BankUnknown(Invalid):
    """The processor knows no bank with this code for the currency of the refund."""

    code = "bank_unknown"


class Sent(NamedTuple):
    """What became of an answer: not sent at all, or refused, or without an answer of its own, or none of these."""

    is_sent: bool
    failure: GatewayRefused | GatewayUncertain | None = None

    @property
    def is_taken(self) -> bool:
        """True unless it was surely not taken."""
        return self.is_sent and not isinstance(self.failure, GatewayRefused)

    def refusal(self, otherwise: str) -> str:
        """Return the processor's word for its refusal."""
        return otherwise if self.failure is None else self.failure.gateway_code or self.failure.code


async def _send(call: Awaitable[object]) -> Sent:
    try:
        _ = await call
    except (GatewayRefused, GatewayUncertain) as error:
        return Sent(is_sent=True, failure=error)
    return Sent(is_sent=True)


@asynccontextmanager
async def _turn(tools: Toolbox, transaction_id: UUID) -> AsyncGenerator[None]:
    """Let one at a time answer: of two the refusal of one would say nothing of what became of it."""
    name, now = f"attention {transaction_id}", tools.clock()
    if not await save_unless_since(tools.pool, name, now, now - TURN):
        raise AttentionUnderWay(retry_after_seconds=int(TURN.total_seconds()))
    try:
        yield
    finally:
        await forget_time(tools.pool, name, now)


def _part_of(request: Request, part: str) -> Request:
    """Return the request for what is recorded besides the outcome; a repeat has the same."""
    return replace(request, command_id=sha256(f"{part}\n".encode() + request.command_id).digest())


async def _is_done(tools: Toolbox, request: Request) -> bool:
    return await find_command(tools.pool, request.command_id) is not None


async def _require_leave(tools: Toolbox, transaction_id: UUID) -> None:
    """Whoever types something sends money as the worker does: nothing goes out that the worker would hold back."""
    await tools.permit()
    if await is_held_back(tools, transaction_id):
        raise HeldBack


async def _rehearse(
    tools: Toolbox, transaction_id: UUID, request: Request, wanted: TransactionCommand, expected_version: int | None
) -> Transaction:
    """Return the transaction as it would be; raise what the command would raise."""
    rehearsed = await tools.escrow.execute(
        transaction_id, wanted, request, expected_version=expected_version, dry_run=True
    )
    return rehearsed.aggregate


async def _answer_once(
    tools: Toolbox,
    transaction_id: UUID,
    request: Request,
    wanted: TransactionCommand,
    answer: Callable[[], Awaitable[Result[Transaction]]],
) -> Result[Transaction]:
    """Return what `answer` returns, for which others wait their turn; a repeat is answered from the log."""
    if not await _is_done(tools, request):
        async with _turn(tools, transaction_id):
            if not await _is_done(tools, request):
                return await answer()
    return await tools.escrow.execute(transaction_id, wanted, request)


async def finalize_payout(
    tools: Toolbox,
    transaction_id: UUID,
    request: Request,
    wanted: TypeOtp,
    otp: str,
    *,
    expected_version: int | None = None,
) -> Result[Transaction]:
    """Send the one-time password for a transfer, and record what became of it; a repeat is answered from the log.

    Raises what `Transaction.type_otp` raises, `OtpWrong`, `HeldBack`, `AttentionUnderWay`, and the processor's errors:
    ask again with the same key.
    """
    answer = partial(_finalize, tools, transaction_id, request, wanted, otp, expected_version)
    return await _answer_once(tools, transaction_id, request, wanted, answer)


async def _finalize(
    tools: Toolbox, transaction_id: UUID, request: Request, wanted: TypeOtp, otp: str, expected_version: int | None
) -> Result[Transaction]:
    tried = await _count_refused(tools, request)
    begin = _part_of(request, f"begin {tried}")
    if not await _is_done(tools, begin):
        _ = await _rehearse(tools, transaction_id, begin, wanted, expected_version)
        await _require_leave(tools, transaction_id)
    begun = await tools.escrow.execute(transaction_id, wanted, begin, expected_version=expected_version)
    payout = begun.aggregate.payout_awaiting_otp(wanted.reference)
    sent, is_last = await _send_otp(tools, transaction_id, payout, otp, begin)
    found = await tools.gateway.verify_transfer(payout.reference)
    report = payouts.report_of_payout(begun.aggregate, payout, found)
    waits_on = report.status is TransferStatus.OTP
    if isinstance(sent.failure, GatewayUncertain) and waits_on:
        raise sent.failure
    is_repeat_taken = begun.replayed and is_last and not waits_on
    if report.status not in NOT_PAID and (sent.is_taken or is_repeat_taken):
        return await tools.escrow.execute(transaction_id, FinalizePayout(reason=wanted.reason, report=report), request)
    refused = RefuseOtp(refusal=sent.refusal(PayoutNotAwaitingOtp.code), report=report)
    await tools.escrow.execute(transaction_id, refused, _part_of(request, f"refused {tried}"))
    if sent.failure is not None and waits_on:
        raise OtpWrong(gateway_code=sent.failure.gateway_code or None)
    raise PayoutNotAwaitingOtp


async def _count_refused(tools: Toolbox, request: Request) -> int:
    """Return how many passwords were refused that came with this key: the next is one more that is typed."""
    tried = 0
    while await _is_done(tools, _part_of(request, f"refused {tried}")):
        tried += 1
    return tried


async def _send_otp(
    tools: Toolbox, transaction_id: UUID, payout: Payout, otp: str, begin: Request
) -> tuple[Sent, bool]:
    """Send the password if it is waited for still; return whether it was the last that was typed, besides."""
    transaction = await tools.escrow.get(Transaction, transaction_id)
    current = transaction.payouts[payout.reference]
    is_last = current.otp_by == begin.command_id.hex()
    if current.status is not PayoutStatus.OTP:
        return Sent(is_sent=False), is_last
    _ = transaction.payout_awaiting_otp(payout.reference)
    await _require_leave(tools, transaction_id)
    return await _send(tools.gateway.finalize_transfer(await _code_of(tools, payout), otp)), is_last


async def _code_of(tools: Toolbox, payout: Payout) -> str:
    return payout.transfer_code or (await tools.gateway.verify_transfer(payout.reference)).transfer_code


async def resend_otp(
    tools: Toolbox,
    transaction_id: UUID,
    request: Request,
    wanted: OrderOtp,
    *,
    expected_version: int | None = None,
) -> Result[Transaction]:
    """Have the one-time password for a transfer sent again; a repeat sends nothing, unless nobody knows that it was.

    Raises what `Transaction.order_otp` raises, and the processor's errors.
    """
    if await _is_done(tools, request):
        return await tools.escrow.execute(transaction_id, wanted, request)
    begin = _part_of(request, "begin")
    begun = await tools.escrow.execute(transaction_id, wanted, begin, expected_version=expected_version)
    payout = begun.aggregate.payout_awaiting_otp(wanted.reference)
    await tools.gateway.resend_otp(await _code_of(tools, payout))
    return await tools.escrow.execute(transaction_id, ResendOtp(reference=payout.reference), request)


async def retry_refund(
    tools: Toolbox,
    transaction_id: UUID,
    request: Request,
    wanted: GiveRefundAccount,
    account: BuyersAccount,
    keep: Keep,
    *,
    expected_version: int | None = None,
) -> Result[Transaction]:
    """Send a refund to the buyer's account, and record what became of it; a repeat is answered from the log.

    The account is kept under the id that `wanted` gives it before it is sent. Raises what
    `Transaction.give_refund_account` raises, `AccountRefused`, which a repeat gets too, `BankUnknown`, `HeldBack`,
    `AttentionUnderWay`, `RefundAccountOutdated`, and the processor's errors: ask again with the same key.
    """
    answer = partial(_pass_on, tools, transaction_id, request, wanted, account, keep, expected_version)
    result = await _answer_once(tools, transaction_id, request, wanted, answer)
    _require_taken(result.aggregate, wanted.content_id)
    return result


async def _pass_on(
    tools: Toolbox,
    transaction_id: UUID,
    request: Request,
    wanted: GiveRefundAccount,
    account: BuyersAccount,
    keep: Keep,
    expected_version: int | None,
) -> Result[Transaction]:
    begin, bank_id = _part_of(request, "begin"), None
    if await _is_done(tools, begin):
        await tools.escrow.execute(transaction_id, wanted, begin)  # refuses another request with this key
    else:
        rehearsed = await _rehearse(tools, transaction_id, begin, wanted, expected_version)
        bank_id = await _find_bank(tools, rehearsed.refund_to(wanted.content_id).currency, account.bank_code)
        await _require_leave(tools, transaction_id)
    digest = await keep((await tools.escrow.get(Transaction, transaction_id)).buyer_id)
    given = replace(wanted, content_sha256=digest)
    begun = await tools.escrow.execute(transaction_id, given, begin, expected_version=expected_version)
    transaction = await tools.escrow.get(Transaction, transaction_id)
    refund = transaction.refund_to(wanted.content_id)
    sent = await _send_account(tools, transaction, refund, account, bank_id)
    report = refunds.report_of(refund, await tools.gateway.fetch_refund(int(refund.processor_refund_id or 0)))
    if isinstance(sent.failure, GatewayUncertain) and report.status is ProcessorRefundStatus.NEEDS_ATTENTION:
        raise sent.failure
    # What a repeat finds on its way went to the last account that was given: no other was sent since.
    goes_on = report.status not in {ProcessorRefundStatus.NEEDS_ATTENTION, ProcessorRefundStatus.FAILED}
    outcome = (
        RetryRefund(reason=wanted.reason, content_id=wanted.content_id, content_sha256=digest, report=report)
        if sent.is_taken or (begun.replayed and goes_on)
        else RefuseRefundAccount(content_id=wanted.content_id, refusal=sent.refusal(report.status.value), report=report)
    )
    return await tools.escrow.execute(transaction_id, outcome, request)


async def _send_account(
    tools: Toolbox, transaction: Transaction, refund: Refund, account: BuyersAccount, bank_id: int | None
) -> Sent:
    """Send the account, if it is waited for still."""
    if refund.status is not RefundStatus.NEEDS_ATTENTION:
        return Sent(is_sent=False)
    _ = transaction.refund_awaiting_account(refund.reference)
    if bank_id is None:
        bank_id = await _find_bank(tools, refund.currency, account.bank_code)
    await _require_leave(tools, transaction.id)
    sent = RefundAccount(currency=refund.currency, account_number=account.account_number, bank_id=bank_id)
    return await _send(tools.gateway.retry_refund(int(refund.processor_refund_id or 0), sent))


def _require_taken(transaction: Transaction, content_id: UUID) -> None:
    """Raise why the processor did not take an account, as it stands in the log."""
    for refund in transaction.refunds.values():
        refusal = next((it.refusal for it in refund.accounts if it.content_id == content_id), None)
        if refusal is not None and refund.status is RefundStatus.NEEDS_ATTENTION:
            raise AccountRefused(gateway_code=refusal)
        if refusal is not None:
            raise RefundNotAwaitingAccount


async def _find_bank(tools: Toolbox, currency: Currency, code: str) -> int:
    banks = await tools.gateway.list_banks(currency)
    found = next((bank.processor_id for bank in banks if bank.code == code and bank.is_active), None)
    if found is None:
        raise BankUnknown
    return found
