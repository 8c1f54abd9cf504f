"""The base of a transaction's events: after each one the phase is derived anew."""

from typing import TYPE_CHECKING, ClassVar

from domain.event import Event
from domain.journal import Account, Postings
from domain.money import Currency
from domain.transaction.phase import Phase, phase_of

if TYPE_CHECKING:
    from domain.transaction.state import TransactionState


class TransactionEvent(Event):
    """A fact about a transaction. Subclasses assign in `change`; the phase and its age follow from the tracks.

    A remark, such as a note, changes nothing that staff decide about; what it may change of a request for a second pair
    of eyes is among the request's grounds. So it is where `VOIDS_REQUESTS` is False: what a party can do as often as it
    likes, and moves no money, must not keep staff from deciding.
    """

    IS_REMARK: ClassVar[bool] = False
    VOIDS_REQUESTS: ClassVar[bool] = True

    def apply(self, aggregate: "TransactionState") -> None:
        """Assign, then derive the phase and since when it holds."""
        self.change(aggregate)
        if not self.IS_REMARK:
            aggregate.changed_at_version = self.originator_version
            if self.VOIDS_REQUESTS:
                aggregate.voided_at_version = self.originator_version
        if aggregate.payouts:
            aggregate.settle_failures()
        phase = phase_of(aggregate)
        if phase is not aggregate.phase:
            aggregate.phase = phase
            aggregate.phase_since = self.timestamp
            if phase is Phase.COMPLETED and aggregate.completed_at is None:
                aggregate.completed_at = self.timestamp
            elif phase is Phase.REFUNDED and aggregate.refunded_at is None:
                aggregate.refunded_at = self.timestamp
            if phase in {Phase.REFUNDED, Phase.SPLIT} and aggregate.returned_at is None:
                aggregate.returned_at = self.timestamp

    def change(self, transaction: "TransactionState") -> None:
        """Assign what this fact changes; never raise, never read clock, random source or settings."""


class TransactionMoneyEvent(TransactionEvent):
    """A fact that moves money: its balanced postings are in `currency`, in minor units."""

    currency: Currency
    postings: Postings

    def change(self, transaction: "TransactionState") -> None:
        """Fold the postings, unless they are in a currency in which the buyer was never asked to pay."""
        if self.currency is transaction.price.currency:
            transaction.post(self.postings)
            if transaction.balances[Account.SELLER_RECEIVABLE] <= 0:
                transaction.owing_since = None
            elif transaction.owing_since is None:
                transaction.owing_since = self.timestamp
