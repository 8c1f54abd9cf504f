"""Compensation: what the platform pays a buyer on top of a full refund when the fault is its own."""

from domain.errors import Invalid
from domain.journal import Account, credit, debit, journal
from domain.money import share
from domain.policy import COMPENSATION_CAP_BPS
from domain.transaction.event import TransactionMoneyEvent
from domain.transaction.refund import RefundTrack
from domain.transaction.state import TransactionState


class CompensationTooLarge(Invalid):
    """Compensation is at most a fifth of the price, all grants for the transaction together."""

    code = "compensation_too_large"


class CompensationGranted(TransactionMoneyEvent):
    """The platform owes the buyer this much besides his refund; a transfer follows."""

    TOPIC = "transaction.compensation_granted.v1"
    amount_minor: int
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """It counts against the cap."""
        super().change(transaction)
        transaction.compensation_minor += self.amount_minor


class CompensationTrack(RefundTrack):
    """Granting compensation; who may, and after which finding, is decided where disputes are resolved."""

    def check_compensation(self, amount_minor: int) -> None:
        """Raise `CompensationTooLarge` unless the grant stays within the cap."""
        cap = share(self.price.amount_minor, COMPENSATION_CAP_BPS) - self.compensation_minor
        if not 0 <= amount_minor <= cap:
            raise CompensationTooLarge(remaining_minor=cap)

    def grant_compensation(self, amount_minor: int, reason: str) -> None:
        """The platform owes the buyer; nothing is recorded for an amount of zero."""
        self.check_compensation(amount_minor)
        if amount_minor:
            self.record(
                CompensationGranted,
                amount_minor=amount_minor,
                reason=reason,
                currency=self.price.currency,
                postings=journal(
                    debit(Account.COMPENSATION, amount_minor), credit(Account.COMPENSATION_DUE, amount_minor)
                ),
            )
