"""Answers to the processor's disputes: when the log has something to say, what was said, and what became of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.policy import EVIDENCE_BEFORE_DUE
from domain.transaction.dispute import DisputeTrack
from domain.transaction.event import TransactionEvent
from domain.transaction.records import (
    AnswerStatus,
    ContractStatus,
    Dispute,
    DisputeAnswer,
    DisputeSource,
    Finding,
    SettlementStatus,
)
from domain.transaction.state import TransactionState

DECLINED = "declined"
_FOR_THE_BUYER = frozenset({Finding.SELLER, Finding.PLATFORM})


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPlan:
    """The answer that is to be given: its evidence is made of the events up to `evidence_version`, by a template."""

    dispute_id: UUID
    template_version: str
    evidence_version: int
    evidence_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerReport:
    """What became of an answer: `evidence_refs` name what was sent; `refusal` is why the processor did not take it."""

    dispute_id: UUID
    evidence_refs: tuple[str, ...] = ()
    refusal: str | None = None


class ProcessorDisputeAnswerOrdered(TransactionEvent):
    """The intent to decline the processor's dispute, with evidence that has this hash."""

    TOPIC = "transaction.processor_dispute_answer_ordered.v1"
    IS_REMARK = True
    dispute_id: UUID
    processor_dispute_id: str
    resolution: str
    template_version: str
    evidence_version: int
    evidence_sha256: str

    def change(self, transaction: TransactionState) -> None:
        """It is to be sent; made again of the same events it is the same to the byte."""
        answer = DisputeAnswer(
            status=AnswerStatus.ORDERED,
            resolution=self.resolution,
            template_version=self.template_version,
            evidence_version=self.evidence_version,
            evidence_sha256=self.evidence_sha256,
            ordered_at=self.timestamp,
        )
        transaction.update_dispute(self.dispute_id, answer=answer)


class ProcessorDisputeAnswered(TransactionEvent):
    """The processor has the answer: ours, or one that a person gave there, which names no evidence of ours."""

    TOPIC = "transaction.processor_dispute_answered.v1"
    IS_REMARK = True
    dispute_id: UUID
    processor_dispute_id: str
    resolution: str
    evidence_refs: tuple[str, ...]

    def change(self, transaction: TransactionState) -> None:
        """It is not given twice."""
        before = transaction.disputes[self.dispute_id].answer or DisputeAnswer(
            status=AnswerStatus.SENT, resolution=self.resolution
        )
        answer = replace(
            before,
            status=AnswerStatus.SENT,
            resolution=self.resolution,
            answered_at=self.timestamp,
            evidence_refs=self.evidence_refs,
        )
        transaction.update_dispute(self.dispute_id, answer=answer)


class ProcessorDisputeAnswerRefused(TransactionEvent):
    """The processor did not take the answer: a person has to give one there."""

    TOPIC = "transaction.processor_dispute_answer_refused.v1"
    IS_REMARK = True
    dispute_id: UUID
    processor_dispute_id: str
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """The program does not try again."""
        before = transaction.disputes[self.dispute_id].answer
        if before is not None:
            answer = replace(before, status=AnswerStatus.REFUSED, failure=self.reason)
            transaction.update_dispute(self.dispute_id, answer=answer)


class ChargebackAnswerTrack(DisputeTrack):
    """Answering the processor's disputes."""

    def answer_due_at(self, dispute: Dispute) -> datetime | None:
        """Return from when on the program answers this dispute by itself; None leaves it to a person.

        At once when the buyer himself has said that he got what he paid for; when the credentials were only shown to
        him, late, because he may still say so, or at once where the processor names no time. What he never saw, what he
        disputes here as well, and what was decided for him is not the program's to defend.
        """
        if not self._is_ours_to_answer(dispute):
            return None
        if self.acknowledged_at is not None or self.access_confirmed_at is not None:
            return dispute.opened_at
        return dispute.opened_at if dispute.due_at is None else dispute.due_at - EVIDENCE_BEFORE_DUE

    def _is_ours_to_answer(self, dispute: Dispute) -> bool:
        is_new = dispute.source is DisputeSource.PROCESSOR and dispute.is_open and dispute.answer is None
        handed_over = self.contract is ContractStatus.SIGNED and self.revealed_at is not None
        kept = self.settlement not in {SettlementStatus.NONE, SettlementStatus.RETURNED}
        return is_new and handed_over and kept and not self._is_buyer_heard()

    def _is_buyer_heard(self) -> bool:
        """True while a person weighs what the buyer says here, and when one has found for him."""
        others = (other for other in self.disputes.values() if other.source is not DisputeSource.PROCESSOR)
        return any(
            other.finding in _FOR_THE_BUYER or (other.is_open and other.source is not DisputeSource.SELLER)
            for other in others
        )

    def order_answer(self, plan: AnswerPlan) -> None:
        """Record the intent to decline; when it is not due, or ordered already, nothing happens."""
        self.require_system()
        dispute = self.disputes.get(plan.dispute_id)
        due_at = None if dispute is None else self.answer_due_at(dispute)
        if dispute is not None and due_at is not None and self.now >= due_at:
            self.record(
                ProcessorDisputeAnswerOrdered,
                dispute_id=plan.dispute_id,
                processor_dispute_id=dispute.processor_dispute_id,
                resolution=DECLINED,
                template_version=plan.template_version,
                evidence_version=plan.evidence_version,
                evidence_sha256=plan.evidence_sha256,
            )

    def record_answer(self, report: AnswerReport) -> None:
        """Record that the processor took an answer, ours or a person's, or refused ours; once."""
        self.require_system()
        dispute = self.disputes.get(report.dispute_id)
        if dispute is None or not dispute.is_open:
            return
        status = None if dispute.answer is None else dispute.answer.status
        if report.refusal is None and status is not AnswerStatus.SENT:
            self.record(
                ProcessorDisputeAnswered,
                dispute_id=dispute.dispute_id,
                processor_dispute_id=dispute.processor_dispute_id,
                resolution=DECLINED,
                evidence_refs=report.evidence_refs,
            )
        elif report.refusal is not None and status is AnswerStatus.ORDERED:
            self.record(
                ProcessorDisputeAnswerRefused,
                dispute_id=dispute.dispute_id,
                processor_dispute_id=dispute.processor_dispute_id,
                reason=report.refusal,
            )
