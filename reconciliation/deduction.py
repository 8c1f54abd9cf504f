"""Refunds that were taken from money not yet settled, and what settlements have kept for them since.

At first such a refund lowers what Paystack still has to settle. When a settlement deducts it, the settlement is booked
as if nothing had been kept, and the refund as paid from the balance: the same money, on the account that lacks it.
"""

from collections import Counter

from domain.journal import Account
from domain.transaction.records import RefundStatus
from domain.treasury import Movement
from gateways.bookkeeping import BalanceCause
from gateways.payment import Refund
from reconciliation.books import Books
from reconciliation.key import REFUND, Key
from reconciliation.records import BookedRefund, Records
from reconciliation.settlement import Booking

SIGNS = {Movement.REFUND_DEDUCTED: 1, Movement.REFUND_DEDUCTION_RETURNED: -1}


def list_deductions(books: Books, records: Records) -> list[Booking]:
    """Return what is to be booked so that each refund stands on the account that it was taken from."""
    listed = {str(refund.processor_id): refund for refund in books.refunds}
    from_balance = _taken_from_balance(books)
    moved = _moved(records)
    return [
        _booking(booked, booked.processor_id, distance, moved[booked.processor_id])
        for booked in records.refunds.values()
        if booked.source is Account.UNCLEARED and booked.processor_id is not None and booked.processor_id in listed
        if (distance := _deducted(booked, listed[booked.processor_id], from_balance) - moved[booked.processor_id])
    ]


def _deducted(booked: BookedRefund, refund: Refund, from_balance: Counter[str]) -> int:
    """A line of the balance ledger is proof too; what came back of a refund that failed is deducted no more."""
    if booked.status is RefundStatus.FAILED:
        return 0
    return min(booked.amount_minor, max(refund.deducted_minor or 0, from_balance[str(refund.processor_id)]))


def _taken_from_balance(books: Books) -> Counter[str]:
    found: Counter[str] = Counter()
    for entry in books.entries:
        if entry.cause is BalanceCause.REFUND:
            found[str(entry.cause_id)] -= entry.difference_minor
    return found


def _moved(records: Records) -> Counter[str]:
    found: Counter[str] = Counter()
    for movement in records.movements:
        if movement.movement in SIGNS and movement.key is not None:
            found[movement.key.id] += SIGNS[movement.movement] * movement.amount_minor
    return found


def _booking(booked: BookedRefund, processor_id: str, distance: int, moved_minor: int) -> Booking:
    """What was moved before tells a second deduction of the same amount from a repeat of the first."""
    return Booking(
        key=Key(REFUND, processor_id),
        movement=Movement.REFUND_DEDUCTED if distance > 0 else Movement.REFUND_DEDUCTION_RETURNED,
        currency=booked.currency,
        amount_minor=abs(distance),
        occasion=f" after {moved_minor}",
    )
