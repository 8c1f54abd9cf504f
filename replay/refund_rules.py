"""The rules of refunds: what must hold of a refund, or of the money it gives back, just before each of its events."""

from collections.abc import Callable

from domain.actor import IN_CHARGE
from domain.transaction import Transaction
from domain.transaction.attention import RefundAccountGiven, RefundAccountRefused, RefundRetried
from domain.transaction.chargeback import CancelledRefundSent
from domain.transaction.contested import ChargebackRefundFailed
from domain.transaction.records import Refund, RefundStatus
from domain.transaction.refund import (
    ACCEPTED,
    FailedRefundSent,
    RefundFailed,
    RefundNeedsAttention,
    RefundProcessed,
    RefundProcessing,
    RefundSubmitted,
    RefundUncertain,
)
from domain.transaction.settlement import ReceiptReturnOrdered, RefundOrdered
from domain.transaction.shortfall import RefundWaitsForBalance
from replay.rules import Named, Rule, require

UNSENT = frozenset({RefundStatus.APPROVED, RefundStatus.UNCERTAIN})


def _when(holds: Callable[[Refund], bool]) -> Callable[[Transaction, Named], bool]:
    """Return whether there is the refund that an event names, and this holds of it."""

    def check(x: Transaction, e: Named) -> bool:
        refund = x.refunds.get(e.reference)
        return refund is not None and holds(refund)

    return check


_is_open = _when(lambda refund: refund.status.is_open)
_is_unsent = _when(lambda refund: refund.status in UNSENT)
_is_accepted = _when(lambda refund: refund.status in ACCEPTED)
_is_cancelled = _when(lambda refund: refund.status is RefundStatus.CANCELLED)
_has_failed = _when(lambda refund: refund.status is RefundStatus.FAILED)
_needs_attention = _when(lambda refund: refund.status is RefundStatus.NEEDS_ATTENTION and not refund.is_contested)
_is_known_there = _when(lambda refund: refund.processor_refund_id is not None)


def _is_refundable(x: Transaction, e: RefundOrdered) -> bool:
    return e.reference not in x.refunds and 1 <= e.amount_minor <= x.refundable_minor


def _is_returnable(x: Transaction, e: ReceiptReturnOrdered) -> bool:
    """Logs from before the charges of chargebacks were named have returns of what was disputed."""
    returnable = {receipt.processor_id: receipt.amount_minor for receipt in x.returnable_receipts}
    return returnable.get(e.processor_id) == e.amount_minor and e.reference not in x.refunds


def _is_taken_twice(x: Transaction, e: ChargebackRefundFailed) -> bool:
    refund = x.refunds.get(e.reference)
    return refund is not None and refund.is_owed and 1 <= e.amount_minor <= refund.contested_minor


def _waits(x: Transaction, e: RefundWaitsForBalance) -> bool:
    return _is_unsent(x, e) and e.amount_minor == x.refunds[e.reference].amount_minor


def _may_be_given(x: Transaction, e: RefundAccountGiven) -> bool:
    return _needs_attention(x, e) and not x.is_disputed(x.refunds[e.reference]) and e.actor_role in IN_CHARGE


def _was_given(x: Transaction, e: RefundAccountRefused) -> bool:
    refund = x.refunds.get(e.reference)
    return refund is not None and any(it.content_id == e.content_id and it.refusal is None for it in refund.accounts)


def _may_be_retried(x: Transaction, e: RefundRetried) -> bool:
    """Older logs have it without `RefundAccountGiven`."""
    return _is_known_there(x, e) and e.actor_role in IN_CHARGE


T = Transaction
REFUND_RULES: dict[str, Rule] = dict(
    [
        require(T, RefundOrdered, "no more than was received and not returned", _is_refundable),
        require(T, ReceiptReturnOrdered, "a receipt in suspense, all of it, undisputed", _is_returnable),
        require(T, RefundWaitsForBalance, "a refund that was not sent, of this amount", _waits),
        require(T, RefundUncertain, "a refund under way", _is_open),
        require(T, RefundFailed, "a refund under way", _is_open),
        require(T, RefundSubmitted, "a refund not accepted yet", _is_unsent),
        require(T, RefundProcessing, "a refund that was accepted", _is_accepted),
        require(T, RefundNeedsAttention, "a refund that was accepted", _is_accepted),
        require(T, RefundProcessed, "a refund that was accepted", _is_accepted),
        require(T, RefundAccountGiven, "a refund that needs attention, and somebody in charge", _may_be_given),
        require(T, RefundAccountRefused, "an account that was given for this refund", _was_given),
        require(T, RefundRetried, "a refund that was accepted, and somebody in charge", _may_be_retried),
        require(T, FailedRefundSent, "a refund that failed", _has_failed),
        require(T, ChargebackRefundFailed, "a contested refund that failed and is owed, and no more", _is_taken_twice),
        require(T, CancelledRefundSent, "a refund that a chargeback cancelled", _is_cancelled),
    ]
)
