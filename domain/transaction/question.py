"""Questions that the processor refuses to answer: it says neither yes nor no, and somebody has to ask it in person."""

from domain.transaction.deadline import DeadlineTrack
from domain.transaction.event import TransactionEvent
from domain.transaction.state import TransactionState


class QuestionRefused(TransactionEvent):
    """The processor refuses to say what became of a charge, transfer, refund or dispute, or to take an answer to one.

    Nothing else had happened for ten minutes. A remark: nothing is concluded from it. The program goes on asking.
    """

    TOPIC = "transaction.question_refused.v1"
    IS_REMARK = True
    reference: str
    refusal: str

    def change(self, transaction: TransactionState) -> None:
        """It is said once."""
        transaction.refused_questions[self.reference] = self.refusal


class QuestionAnswered(TransactionEvent):
    """The processor says again what became of it."""

    TOPIC = "transaction.question_answered.v1"
    IS_REMARK = True
    reference: str

    def change(self, transaction: TransactionState) -> None:
        """Should it refuse once more, that is said once more."""
        transaction.refused_questions.pop(self.reference, None)


class QuestionTrack(DeadlineTrack):
    """Keeping what the processor refuses to say."""

    def record_refused_question(self, reference: str, refusal: str) -> None:
        """Record that a question about `reference` is refused with this code; once until it is answered."""
        self.require_system()
        if reference not in self.refused_questions:
            self.record(QuestionRefused, reference=reference, refusal=refusal)

    def record_answered_question(self, reference: str) -> None:
        """Record that a question which was refused is answered; once."""
        self.require_system()
        if reference in self.refused_questions:
            self.record(QuestionAnswered, reference=reference)
