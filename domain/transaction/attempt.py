"""What follows a payout that failed: another attempt, a person, or the news that it was paid after all."""

from datetime import datetime

from domain.policy import MAX_PAYOUT_ATTEMPTS, PAYOUT_RETRY_AFTER
from domain.transaction.event import TransactionEvent, TransactionMoneyEvent
from domain.transaction.records import Payout, PayoutPurpose, PayoutStatus
from domain.transaction.state import TransactionState


class PayoutRetryScheduled(TransactionEvent):
    """The next attempt, under a reference of its own, may be made from `retry_at` on."""

    TOPIC = "transaction.payout_retry_scheduled.v1"
    reference: str
    retry_at: datetime

    def change(self, transaction: TransactionState) -> None:
        """Nobody has to look yet."""
        transaction.update_payout(self.reference, retry_at=self.retry_at)


class PayoutGivenUp(TransactionEvent):
    """The program does not try again by itself: a person has to look, and pay out again by force."""

    TOPIC = "transaction.payout_given_up.v1"
    reference: str
    attempts: int
    reason: str


class PayoutPaidAfterAll(TransactionMoneyEvent):
    """The processor paid a transfer that it had called refused or failed.

    What is still owed is paid with it. What an attempt after it has paid, or is about to, the payee has twice: the
    seller owes it back, and what the buyer has is our loss.
    """

    TOPIC = "transaction.payout_paid_after_all.v1"
    reference: str
    amount_minor: int
    twice_minor: int
    fee_minor: int

    def change(self, transaction: TransactionState) -> None:
        """It is paid; what the seller has twice stands among what he owes."""
        super().change(transaction)
        payout = transaction.payouts[self.reference]
        if payout.purpose is not PayoutPurpose.SELLER:
            transaction.paid_twice_minor[payout.purpose] += self.twice_minor
        transaction.pay_refunds_by(payout)
        transaction.update_payout(
            self.reference,
            status=PayoutStatus.SUCCEEDED,
            accepted=True,
            fee_minor=self.fee_minor or None,
            retry_at=None,
            settled=False,
        )


class PayoutReversalSeen(TransactionEvent):
    """The processor paid a transfer that counts as failed here, and took it back before anybody asked.

    A remark: the money is owed as it was. Whatever says later that it was paid is old news.
    """

    TOPIC = "transaction.payout_reversal_seen.v1"
    IS_REMARK = True
    reference: str

    def change(self, transaction: TransactionState) -> None:
        """It cannot be paid after all any more."""
        transaction.update_payout(self.reference, status=PayoutStatus.REVERSED)


def retry_at(payout: Payout, tried: int, failed_at: datetime) -> datetime | None:
    """Return from when the attempt after this one may be made: 1 minute, 10 minutes, 1 hour, 6 hours; None after five.

    It was `tried` so often since it was paid last. An attempt that was never accepted is not repeated: the processor
    would refuse it again.
    """
    if not payout.accepted or tried >= MAX_PAYOUT_ATTEMPTS:
        return None
    return failed_at + PAYOUT_RETRY_AFTER[tried - 1]
