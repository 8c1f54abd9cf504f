"""Questions that the processor refuses to answer: it says neither yes nor no, and somebody has to ask it in person."""

from domain.transaction.deadline import DeadlineTrack
from domain.transaction.event import TransactionEvent
from domain.transaction.records import (
    AnswerStatus,
    Dispute,
    DisputeSource,
    PaymentStatus,
    Payout,
    PayoutPurpose,
    PayoutStatus,
    Refund,
)
from domain.transaction.state import TransactionState


class QuestionRefused(TransactionEvent):
    """The processor refuses to say what became of a charge, transfer, refund or dispute, or to take an answer to one.

    Or it says of a refund that had failed that it may yet be paid, or of a transfer or refund that it is another than
    was ordered. It has done so for ten minutes, or somebody has just asked. A remark: nothing is concluded from it. The
    program goes on asking.
    """

    TOPIC = "transaction.question_refused.v1"
    IS_REMARK = True
    reference: str
    refusal: str

    def change(self, transaction: TransactionState) -> None:
        """It is said once."""
        transaction.refused_questions[self.reference] = self.refusal


class QuestionAnswered(TransactionEvent):
    """The processor says again what became of it, or what was asked has been settled in another way."""

    TOPIC = "transaction.question_answered.v1"
    IS_REMARK = True
    reference: str

    def change(self, transaction: TransactionState) -> None:
        """Should it refuse once more, that is said once more."""
        transaction.refused_questions.pop(self.reference, None)


class QuestionTrack(DeadlineTrack):
    """Keeping what the processor is asked, and what of it it refuses to say."""

    @property
    def awaited_charge(self) -> str | None:
        """The reference of the charge that the buyer may have paid by now; None when none is awaited."""
        is_awaited = self.payment is PaymentStatus.REQUESTED and self.payment_link_issued and self.ended_as is None
        return self.payment_reference if is_awaited else None

    @property
    def open_chargebacks(self) -> tuple[str, ...]:
        """The processor's numbers of the chargebacks that nobody has decided yet."""
        own = (one for one in self.open_disputes if one.source is DisputeSource.PROCESSOR)
        foreign = (number for number, is_open in self.foreign_chargebacks.items() if is_open)
        return (*(one.processor_dispute_id for one in own if one.processor_dispute_id is not None), *foreign)

    @property
    def answers_to_give(self) -> dict[str, Dispute]:
        """The disputes whose answers are ordered and not given yet, by what the answer is called."""
        ordered = (one for one in self.open_disputes if one.answer and one.answer.status is AnswerStatus.ORDERED)
        return {f"answer to {one.processor_dispute_id}": one for one in ordered}

    def is_in_question(self, reference: str) -> bool:
        """True while the processor is asked about a charge, transfer, refund or chargeback, or given an answer."""
        if (payout := self.payouts.get(reference)) is not None:
            return payout.status.is_open or self._may_be_sent_again(payout)
        if (refund := self.refunds.get(reference)) is not None:
            return refund.status.is_open or self._may_be_paid_otherwise(refund)
        return reference in {self.awaited_charge, *self.open_chargebacks, *self.answers_to_give}

    def _may_be_sent_again(self, payout: Payout) -> bool:
        """What failed is asked about once more before the same money is sent again."""
        return payout.status is PayoutStatus.FAILED and self.payable_minor(payout.purpose) > 0

    def _may_be_paid_otherwise(self, refund: Refund) -> bool:
        """What failed is asked about once more before a transfer pays it."""
        return refund.is_owed and self.payable_minor(PayoutPurpose.REFUND) > 0

    def record_refused_question(self, reference: str, refusal: str) -> None:
        """Record that a question about `reference` is refused with this code; once until it is answered."""
        self.require_system()
        if reference not in self.refused_questions:
            self.record(QuestionRefused, reference=reference, refusal=refusal)

    def record_answered_question(self, reference: str) -> None:
        """Record that a question which was refused is answered, or asked no more; once."""
        self.require_system()
        if reference in self.refused_questions:
            self.record(QuestionAnswered, reference=reference)
