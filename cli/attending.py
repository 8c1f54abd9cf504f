"""What `escrow payout` and `escrow refund` do: answers to what the processor wants from a person."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from uuid import UUID

from api.flows.attention import keep_account, want_retry
from cli.accounts import OPERATOR
from cli.clock import read_clock
from cli.database import running_server
from cli.output import print_json, say
from cli.wiring import find_settings, open_ground, require_processor, toolbox_of
from domain.errors import Refused
from domain.transaction import Transaction
from domain.transaction.records import Payout, PayoutStatus
from domain.transaction.staff_commands import FinalizePayout, ResendOtp
from eventstore.escrow import Request
from reactions import attention
from reactions.attention import BuyersAccount
from reactions.toolbox import Toolbox

CONNECTIONS = 2


def finalize_payout(transaction_id: UUID, reference: str | None, reason: str, otp: str, *, as_json: bool) -> None:
    """Send a one-time password and print what became of the payout; the same again is answered the same."""

    async def finalize(tools: Toolbox) -> Transaction:
        transaction = await tools.escrow.get(Transaction, transaction_id)
        request = _request(_key_of(transaction, reference))
        wanted = FinalizePayout(reference=reference, reason=reason)
        return (await attention.finalize_payout(tools, transaction_id, request, wanted, otp)).aggregate

    _print(_attend(finalize), as_json=as_json)


def resend(transaction_id: UUID, reference: str | None, *, as_json: bool) -> None:
    """Have a one-time password sent again."""

    async def send(tools: Toolbox) -> Transaction:
        request = _request(f"resend:{transaction_id}:{read_clock().isoformat()}")
        return (await attention.resend_otp(tools, transaction_id, request, ResendOtp(reference=reference))).aggregate

    _print(_attend(send), as_json=as_json)


def retry_refund(
    transaction_id: UUID, reference: str | None, reason: str, account: BuyersAccount, *, as_json: bool
) -> None:
    """Send a refund to the buyer's account and print what became of it."""

    async def retry(tools: Toolbox) -> Transaction:
        request = _request(f"retry:{transaction_id}:{read_clock().isoformat()}")
        wanted, keep = want_retry(reference, reason), keep_account(tools, os.urandom, account)
        return (await attention.retry_refund(tools, transaction_id, request, wanted, account, keep)).aggregate

    _print(_attend(retry), as_json=as_json)


def _attend(work: Callable[[Toolbox], Awaitable[Transaction]]) -> Transaction:
    async def connect() -> Transaction:
        async with open_ground(settings, read_clock, CONNECTIONS) as ground:
            return await work(toolbox_of(ground))

    settings = find_settings()
    require_processor(settings)
    with running_server(settings):
        return asyncio.run(connect())


def _key_of(transaction: Transaction, reference: str | None) -> str:
    """Return the same key until the processor asks for another password."""
    payout = _find(transaction, reference)
    if payout is None:
        return f"finalize:{transaction.id}"
    typed = payout.otp_typed if payout.status is PayoutStatus.OTP else payout.otp_typed - 1
    return f"finalize:{payout.reference}:{typed}"


def _find(transaction: Transaction, reference: str | None) -> Payout | None:
    """The payout that is meant, or else the one that waits, or else the last one."""
    try:
        return transaction.payout_awaiting_otp(reference)
    except Refused:
        last = next(reversed(transaction.payouts.values()), None)
        return last if reference is None else transaction.payouts.get(reference)


def _request(key: str) -> Request:
    digest = hashlib.sha256(f"attention:{key}".encode()).digest()
    return Request(actor=OPERATOR, command_id=digest, digest=digest, request_id=digest.hex()[:32])


def _print(transaction: Transaction, *, as_json: bool) -> None:
    facts = {"id": transaction.id, "state": transaction.state, "stuck_reason": transaction.stuck_reason}
    if as_json:
        print_json(facts)
    else:
        say(f"{transaction.id}: {transaction.state}, {transaction.stuck_reason or 'nothing is left to do'}")
