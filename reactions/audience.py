"""Which parties an event concerns, and the form of the table that says so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from domain.transaction import Transaction
from domain.transaction.records import Basis, PayoutPurpose
from eventstore.converter import Fields

Audience = Callable[[Fields, Transaction], tuple[str, ...]]
"""Which parties an event concerns: `buyer`, `seller`, or both."""


def both(_data: Fields, _transaction: Transaction) -> tuple[str, ...]:
    """Both parties."""
    return ("buyer", "seller")


def buyer(_data: Fields, _transaction: Transaction) -> tuple[str, ...]:
    """The buyer alone."""
    return ("buyer",)


def seller(_data: Fields, _transaction: Transaction) -> tuple[str, ...]:
    """The seller alone."""
    return ("seller",)


def payee(data: Fields, transaction: Transaction) -> tuple[str, ...]:
    """Whoever a transfer is for."""
    return ("seller",) if purpose_of(data, transaction) is PayoutPurpose.SELLER else ("buyer",)


def other_signer(data: Fields, transaction: Transaction) -> tuple[str, ...]:
    """The party that has not signed yet; nobody when both have: that is told of by another template."""
    if data["reveal_due_at"] is not None:
        return ()
    return ("seller",) if data["signer_id"] == str(transaction.buyer_id) else ("buyer",)


def if_complete(data: Fields, transaction: Transaction) -> tuple[str, ...]:
    """Both parties, once both have signed."""
    return both(data, transaction) if data["reveal_due_at"] is not None else ()


def if_chargeback(data: Fields, transaction: Transaction) -> tuple[str, ...]:
    """Both parties, of a dispute that a bank opened."""
    return both(data, transaction) if data["source"] == "processor" else ()


def unless_chargeback(data: Fields, transaction: Transaction) -> tuple[str, ...]:
    """Both parties, of a dispute that somebody here opened."""
    return () if data["source"] == "processor" else both(data, transaction)


def unless_told(data: Fields, transaction: Transaction) -> tuple[str, ...]:
    """Both parties, where the decision that ordered the money is not told of by itself; a misfit is the payer's."""
    if data["basis"] == "mismatch":
        return ("buyer",)
    return () if data["basis"] in {"forced", "award"} else both(data, transaction)


def if_owed(data: Fields, transaction: Transaction) -> tuple[str, ...]:
    """The buyer, of a refund that failed, unless his bank has taken the money."""
    refund = transaction.refunds[cast("str", data["reference"])]
    is_taken = refund.paid_by is not None and refund.paid_by == refund.contested_by
    return () if is_taken else buyer(data, transaction)


def unless_agreed(data: Fields, transaction: Transaction) -> tuple[str, ...]:
    """Both parties, of a wish to call the sale off, until both have it: then they hear that the money goes back."""
    is_agreed = any(refund.basis is Basis.MUTUAL for refund in transaction.refunds.values())
    return () if is_agreed else both(data, transaction)


def unless_resolved(data: Fields, transaction: Transaction) -> tuple[str, ...]:
    """Both parties, of what staff decided, unless it resolved a dispute, which tells more."""
    return () if data["action"] == "resolve" else both(data, transaction)


def unless_forced(data: Fields, transaction: Transaction) -> tuple[str, ...]:
    """Both parties, of a dispute that was decided; one that force closed on its way was not, and that is told of."""
    dispute = transaction.disputes[UUID(str(data["dispute_id"]))]
    return () if dispute.closed_by_force else both(data, transaction)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A template, whom it is for, and the fields of the event that it shows.

    `to` chooses among the parties of a transaction; of a listing its seller hears, of a user that one.
    A field's suffix says what it is: `amount_minor` becomes the fact `amount` with its currency, `due_at` a date.
    """

    template: str
    to: Audience = both
    facts: tuple[str, ...] = ()


def on(template: str, to: Audience = both, *facts: str) -> Telling:
    """Return a line of the table of who hears what."""
    return Telling(template=template, to=to, facts=facts)


def purpose_of(data: Fields, transaction: Transaction) -> PayoutPurpose:
    """Return what the transfer that an event names is for."""
    return transaction.payouts[cast("str", data["reference"])].purpose
