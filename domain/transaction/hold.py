"""What holds a transaction back after a restore: the processor has something of it that the log has no place for."""

from domain.restore import PaymentKind
from domain.transaction.event import TransactionEvent
from domain.transaction.question import QuestionTrack
from domain.transaction.state import TransactionState


class HoldBegun(TransactionEvent):
    """The processor has a payment of the transaction, or a chargeback of one, that this log has no place for.

    A remark: until that has one, or a person lets the transaction go, nothing is sent for it and no deadline decides.
    """

    TOPIC = "transaction.hold_begun.v1"
    IS_REMARK = True
    kind: PaymentKind
    reference: str

    def change(self, transaction: TransactionState) -> None:
        """It is said once."""
        transaction.held_back_by[self.reference] = self.kind


class HoldEnded(TransactionEvent):
    """What the processor has under this reference holds the transaction back no more."""

    TOPIC = "transaction.hold_ended.v1"
    IS_REMARK = True
    reference: str

    def change(self, transaction: TransactionState) -> None:
        """The transaction goes on, unless something else holds it back."""
        transaction.held_back_by.pop(self.reference, None)


class HoldTrack(QuestionTrack):
    """Saying why nothing is sent."""

    def begin_hold(self, kind: PaymentKind, reference: str) -> None:
        """Record that something which the processor has under `reference` holds this back; once until that ends."""
        self.require_system()
        if reference not in self.held_back_by:
            self.record(HoldBegun, kind=kind, reference=reference)

    def end_hold(self, reference: str) -> None:
        """Record that it holds this back no more; once."""
        self.require_system()
        if reference in self.held_back_by:
            self.record(HoldEnded, reference=reference)
