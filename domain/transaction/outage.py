"""Time that the parties did not have, and get back: an outage, a dispute that came to nothing, a lost deposit."""

from datetime import timedelta

from domain.transaction.event import TransactionEvent
from domain.transaction.state import TransactionState


class DeadlinesExtended(TransactionEvent):
    """Every running deadline is later by this many seconds."""

    TOPIC = "transaction.deadlines_extended.v1"
    seconds: int
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """Nobody loses time that he could not use."""
        transaction.shift_deadlines(timedelta(seconds=self.seconds))
