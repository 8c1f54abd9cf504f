"""Advancing one transaction: take the next step of every reaction until nothing changes any more."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from domain.errors import NotFound
from domain.transaction import Transaction
from gateways.errors import GatewayError
from reactions.chargeback import confirm_chargebacks, follow_chargebacks
from reactions.chargeback_answer import answer_chargebacks
from reactions.clawback import pay_seller
from reactions.contract import generate_contract
from reactions.deadline import enforce_deadline
from reactions.hold import HeldBack, is_held_back
from reactions.listing import follow_end
from reactions.loss import notice_loss
from reactions.payment import confirm_charge, follow_payment
from reactions.payout import confirm_transfer, follow_payouts, pay_compensation, pay_refund
from reactions.question import REFUSALS, close_questions
from reactions.refund import confirm_refunds, follow_refunds
from reactions.toolbox import Toolbox
from reactions.vault import destroy_keys

Step = Callable[[Toolbox, Transaction], Awaitable[bool]]
"""Does what is to be done next for a transaction as it is; True when that changed it, so that it is to be read anew."""

STEPS: tuple[Step, ...] = (
    follow_payment,
    follow_chargebacks,
    notice_loss,
    enforce_deadline,
    generate_contract,
    follow_refunds,
    pay_seller,
    pay_refund,
    pay_compensation,
    follow_payouts,
    destroy_keys,
    follow_end,
    answer_chargebacks,
    close_questions,
)
MONEY = frozenset({enforce_deadline, follow_refunds, pay_seller, pay_refund, pay_compensation, follow_payouts})
"""Not taken while the processor refuses to say what was paid, or what of it was taken back."""
MAX_ROUNDS = 20


async def advance(
    tools: Toolbox,
    transaction_id: UUID,
    reported: str | None = None,
    *,
    is_disputed: bool = False,
    is_refund: bool = False,
) -> None:
    """Bring a transaction as far as it goes now; `reported` is what to ask about even when it is over.

    `is_disputed` says that the charge was charged back, or that a chargeback of it has moved on, `is_refund` that
    nothing but its refunds is meant.

    Doing it twice, or at any time, is harmless. One that is held back is left as it is. What the processor refuses to
    say holds up only what depends on it. Raises the processor's and the database's errors, and `HeldBack` for what was
    `reported` and not asked about: try again later. Once what was reported has been asked about, a refusal of something
    else is raised no more: the next poll meets it.
    """
    if await is_held_back(tools, transaction_id):
        if reported is not None:
            raise HeldBack
        return
    if reported is not None:
        await _ask(tools, transaction_id, reported, is_refund=is_refund)
        if is_disputed:
            await confirm_chargebacks(tools, await tools.escrow.get(Transaction, transaction_id), reported)
    try:
        await _take_rounds(tools, transaction_id)
    except REFUSALS:
        if reported is None or await _is_under_way(tools, transaction_id, reported, is_refund=is_refund):
            raise


async def _ask(tools: Toolbox, transaction_id: UUID, reported: str, *, is_refund: bool) -> None:
    transaction = await tools.escrow.get(Transaction, transaction_id)
    if reported in transaction.payouts:
        await confirm_transfer(tools, transaction, reported)
        return
    if not is_refund:
        await confirm_charge(tools, transaction, reported)
    await confirm_refunds(tools, transaction, reported, is_refund=is_refund)


async def _is_under_way(tools: Toolbox, transaction_id: UUID, reported: str, *, is_refund: bool) -> bool:
    """True for a transfer, or a charge with a refund, that is not over: only the rounds ask about it."""
    transaction = await tools.escrow.get(Transaction, transaction_id)
    refunds = [one for one in transaction.refunds.values() if is_refund and one.charge_reference == reported]
    payout = transaction.payouts.get(reported)
    return any(one.status.is_open for one in refunds) or (payout is not None and payout.status.is_open)


async def _take_rounds(tools: Toolbox, transaction_id: UUID) -> None:
    for _ in range(MAX_ROUNDS):
        if not await _take_round(tools, transaction_id):
            return


async def _take_round(tools: Toolbox, transaction_id: UUID) -> bool:
    """Take the first step that changes anything; raise the first refusal of the processor when none does."""
    refused: dict[Step, GatewayError] = {}
    for step in STEPS:
        if step in MONEY and not refused.keys().isdisjoint({follow_payment, follow_chargebacks}):
            continue
        try:
            transaction = await tools.escrow.get(Transaction, transaction_id)
        except NotFound:
            return False
        try:
            if await step(tools, transaction):
                return True
        except REFUSALS as refusal:
            refused[step] = refusal
    for refusal in refused.values():
        raise refusal
    return False
