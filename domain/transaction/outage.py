"""Time that the parties did not have, and get back: an outage, a dispute that is closed, a lost deposit."""

from datetime import datetime, timedelta

from domain.transaction.event import TransactionEvent
from domain.transaction.state import TransactionState


class DeadlinesExtended(TransactionEvent):
    """Every running deadline of the sale is later by this many seconds; those of staff are not."""

    TOPIC = "transaction.deadlines_extended.v1"
    seconds: int
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """Nobody loses time that he could not use."""
        transaction.shift_deadlines(timedelta(seconds=self.seconds))


class ClocksResumed(TransactionEvent):
    """A dispute is closed: every deadline is later by the `seconds` in which none ran.

    What gives the money back runs on under a dispute of the seller, so the other deadlines alone are later by
    `release_seconds` more, in which no other dispute was open. In logs from before 2026-12 `dispute_withdrawn` and
    `deadlines_extended` say it, and of every deadline.
    """

    TOPIC = "transaction.clocks_resumed.v1"
    VOIDS_REQUESTS = False
    seconds: int
    release_seconds: int

    def change(self, transaction: TransactionState) -> None:
        """This time is given back."""
        transaction.paused_seconds -= self.seconds
        transaction.release_paused_seconds -= self.release_seconds
        transaction.shift_deadlines(timedelta(seconds=self.seconds))
        transaction.shift_release_deadlines(timedelta(seconds=self.release_seconds))


def count_pause(transaction: TransactionState, at: datetime) -> None:
    """Fold how long disputes have stopped the clocks since the last of them was opened or closed."""
    seconds = int((at - (transaction.pause_counted_at or at)).total_seconds())
    if transaction.has_dispute_against_refund:
        transaction.paused_seconds += seconds
    elif transaction.has_open_dispute:
        transaction.release_paused_seconds += seconds
    else:
        transaction.paused_seconds = transaction.release_paused_seconds = 0
    transaction.pause_counted_at = at
