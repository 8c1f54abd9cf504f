"""What holds a transaction back after a restore: the processor has something of it that the log has no place for."""

from uuid import UUID

from domain.restore import Hold, PaymentKind
from domain.transaction.event import TransactionEvent
from domain.transaction.question import QuestionTrack
from domain.transaction.state import TransactionState


class HoldBegun(TransactionEvent):
    """The processor has a payment of the transaction, or a chargeback of one, that this log has no place for.

    A remark: until that has one, or a person lets the transaction go, nothing is sent for it and no deadline decides.
    """

    TOPIC = "transaction.hold_begun.v1"
    IS_REMARK = True
    external_payment_id: UUID
    kind: PaymentKind
    reference: str

    def change(self, transaction: TransactionState) -> None:
        """It is said once."""
        transaction.held_back_by[self.external_payment_id] = Hold(kind=self.kind, reference=self.reference)


class HoldEnded(TransactionEvent):
    """This payment of the processor's, or this chargeback, holds the transaction back no more."""

    TOPIC = "transaction.hold_ended.v1"
    IS_REMARK = True
    external_payment_id: UUID

    def change(self, transaction: TransactionState) -> None:
        """The transaction goes on, unless something else holds it back."""
        transaction.held_back_by.pop(self.external_payment_id, None)


class HoldTrack(QuestionTrack):
    """Saying why nothing is sent."""

    def begin_hold(self, external_payment_id: UUID, kind: PaymentKind, reference: str) -> None:
        """Record that an external payment holds this back; once until that ends.

        A chargeback has the reference of its charge, and a refund may have none: none of them stands for another.
        """
        self.require_system()
        if external_payment_id not in self.held_back_by:
            self.record(HoldBegun, external_payment_id=external_payment_id, kind=kind, reference=reference)

    def end_hold(self, external_payment_id: UUID) -> None:
        """Record that it holds this back no more; once."""
        self.require_system()
        if external_payment_id in self.held_back_by:
            self.record(HoldEnded, external_payment_id=external_payment_id)
