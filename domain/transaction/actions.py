"""What can be done now: the permitted actions of an actor, and why a transaction does not move by itself."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from domain.actor import STAFF, Actor, Role
from domain.errors import EscrowError
from domain.event import Context
from domain.journal import Account
from domain.transaction.phase import FAILED, Phase
from domain.transaction.records import ContractStatus, VaultStatus

if TYPE_CHECKING:
    from domain.transaction import Transaction

Check = Callable[["Transaction"], None]

PARTY_ACTIONS: dict[str, Check] = {
    "pay": lambda transaction: transaction.check_pay(),
    "cancel": lambda transaction: transaction.check_cancel(),
    "sign": lambda transaction: transaction.check_sign(),
    "reveal": lambda transaction: transaction.check_reveal(),
    "acknowledge": lambda transaction: transaction.check_acknowledge(),
    "miss": lambda transaction: transaction.check_missed(),
    "confirm-access": lambda transaction: transaction.check_confirm_access(),
    "redeposit": lambda transaction: transaction.check_redeposit(),
    "extend-inspection": lambda transaction: transaction.check_extend(),
    "dispute": lambda transaction: transaction.check_dispute(),
    "state-access": lambda transaction: transaction.check_statement(),
    "withdraw-dispute": lambda transaction: transaction.check_withdraw(),
}
STAFF_ACTIONS: dict[str, Check] = {
    "note": lambda transaction: transaction.require_staff(),
    "resolve-dispute": lambda transaction: transaction.check_any_resolvable(),
    "escalate-dispute": lambda transaction: transaction.check_escalate(),
    "release": lambda transaction: transaction.check_force_release(),
    "refund": lambda transaction: transaction.check_force_refund(),
    "compensate": lambda transaction: transaction.check_compensate(),
    "approve": lambda transaction: transaction.check_any_approvable(),
    "reject": lambda transaction: transaction.check_any_rejectable(),
    "write-off": lambda transaction: transaction.check_write_off(),
    "finalize-payout": lambda transaction: transaction.check_finalize(),
    "retry-refund": lambda transaction: transaction.check_retry_refund(),
}


ACTIONS = PARTY_ACTIONS | STAFF_ACTIONS


def allowed_actions(transaction: "Transaction", actor: Actor, at: datetime) -> tuple[str, ...]:
    """Return the names of the commands that `actor` could issue at `at`: each guard is asked, nothing is changed."""
    context = Context(at=at, actor=actor, command_id="", request_digest="", request_id="")
    # Whoever is no staff is refused by every guard of the second half: asking would be half the cost of an answer.
    actions = ACTIONS if actor.role in STAFF or actor.role is Role.SYSTEM else PARTY_ACTIONS
    with transaction.acting(context):
        return tuple(name for name, check in actions.items() if _passes(transaction, check))


def _passes(transaction: "Transaction", check: Check) -> bool:
    try:
        check(transaction)
    except EscrowError:
        return False
    return True


def stuck_reason(transaction: "Transaction") -> str | None:
    """Return the first unmet precondition of the next step, as a stable word; None when nothing is left to do."""
    for hold in transaction.held_back_by.values():
        return f"held_back: {hold.kind.value} {hold.reference}{_refusal_of(transaction, hold.reference)}"
    if transaction.returnable_receipts:
        return "receipts_in_suspense"
    if transaction.has_open_dispute:
        sources = sorted({dispute.source.value for dispute in transaction.open_disputes})
        return f"dispute_open: {', '.join(sources)}"
    return (
        _unproven_reason(transaction)
        or _payout_reason(transaction)
        or _refund_reason(transaction)
        or _waiting_for(transaction)
        or ("awaiting_recovery_from_seller" if transaction.receivable_minor > 0 else None)
        or ("chargeback_open: in another currency" if any(transaction.foreign_chargebacks.values()) else None)
    )


def _unproven_reason(transaction: "Transaction") -> str | None:
    doubts = (transaction.unproven_accounts[purpose].doubt for purpose in transaction.unproven_purposes())
    return next((f"payout_account_unproven: {doubt.value}" for doubt in doubts), None)


def _payout_reason(transaction: "Transaction") -> str | None:
    for purpose, wait in transaction.account_waits.items():
        if wait.attempt == transaction.next_attempt(purpose) and transaction.payable_minor(purpose) > 0:
            return f"payout_account_cooling_off: until {wait.usable_at:%Y-%m-%dT%H:%M:%SZ}"
    for payout in reversed(transaction.last_payouts().values()):
        if payout.waits_for_balance:
            return f"payout_waiting_for_balance: {payout.amount_minor} {transaction.price.currency.value}"
        if payout.status.is_open:
            charged_back = CHARGED_BACK if transaction.is_charged_back(payout) else ""
            return f"payout_{payout.status.value}{charged_back}{_refusal_of(transaction, payout.reference)}"
        if payout.status not in FAILED or transaction.payable_minor(payout.purpose) == 0:
            continue
        tried = (one.reference for one in transaction.payouts.values() if one.purpose is payout.purpose)
        state = payout.status.value if payout.retry_at is None else "retry_scheduled"
        return f"payout_{state}: {payout.failure}{_refusal_of(transaction, *tried)}"
    return None


def _refund_reason(transaction: "Transaction") -> str | None:
    for refund in transaction.refunds.values():
        if refund.status.is_open and refund.waits_for_balance and not refund.is_contested:
            return f"refund_waiting_for_balance: {refund.amount_minor} {refund.currency.value}"
        if refund.status.is_open:
            charged_back = CHARGED_BACK if refund.is_contested else ""
            return f"refund_{refund.status.value}{charged_back}{_refusal_of(transaction, refund.reference)}"
        is_foreign = refund.currency is not transaction.price.currency
        if is_foreign and refund.will_not_be_sent and transaction.owed_of(refund) > 0:
            return f"refund_{refund.status.value}: in another currency"
    owed = next((account for account in _OWED if transaction.owed(account) > 0), None)
    if owed is Account.REFUND_DUE:
        unpaid = (refund.reference for refund in transaction.refunds.values() if refund.is_unpaid)
        if refusal := _refusal_of(transaction, *unpaid):
            return f"refund_failed{refusal}"
    return None if owed is None else _OWED[owed]


def _refusal_of(transaction: "Transaction", *references: str) -> str:
    codes = [transaction.refused_questions[one] for one in references if one in transaction.refused_questions]
    return f": {codes[0]} when asked about it" if codes else ""


CHARGED_BACK = ": charged back"
"""The buyer's bank has taken the same money: only what becomes of it is still asked."""

_OWED = {
    Account.SELLER_PAYABLE: "awaiting_payout_request",
    Account.REFUND_DUE: "refund_failed: awaiting a transfer to the buyer",
    Account.COMPENSATION_DUE: "awaiting_compensation_payout",
}


def _waiting_for(transaction: "Transaction") -> str | None:
    if transaction.owed(Account.SELLER_RESERVE) > 0:
        return "awaiting_end_of_warranty"
    match transaction.phase:
        case Phase.PENDING:
            return "awaiting_payment"
        case Phase.FUNDS_HELD | Phase.CONTRACT_SIGNED:
            return _before_reveal(transaction)
        case Phase.CREDENTIALS_RELEASED:
            return _after_reveal(transaction)
        case _:
            return "money_still_held" if transaction.held_minor > 0 else None


def _before_reveal(transaction: "Transaction") -> str:
    if transaction.vault is VaultStatus.LOST:
        return "awaiting_redeposit"
    if transaction.contract is ContractStatus.NONE:
        return "awaiting_contract"
    if transaction.contract is ContractStatus.SIGNED:
        return "awaiting_reveal"
    if transaction.contract is ContractStatus.GENERATED:
        return "awaiting_signatures"
    return "awaiting_buyer_signature" if transaction.buyer_signed_at is None else "awaiting_seller_signature"


def _after_reveal(transaction: "Transaction") -> str:
    if transaction.inspection_lapsed:
        return "awaiting_decision: inspection lapsed"
    if transaction.vault is VaultStatus.REVEALED:
        return "awaiting_acknowledgement"
    return "awaiting_confirmation"
