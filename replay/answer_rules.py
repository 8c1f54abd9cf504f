"""The rules of answers to the processor's disputes, of its disputes of other money, and of what it does not answer."""

from domain.transaction import Transaction
from domain.transaction.chargeback import ChargebackChargeNamed, ForeignChargebackSeen, ForeignChargebackSeenUnnamed
from domain.transaction.chargeback_answer import (
    ProcessorDisputeAnswered,
    ProcessorDisputeAnswerOrdered,
    ProcessorDisputeAnswerRefused,
)
from domain.transaction.hold import HoldBegun, HoldEnded
from domain.transaction.question import QuestionAnswered, QuestionRefused
from domain.transaction.records import AnswerStatus, Dispute, DisputeSource
from replay.rules import Rule, require


def _of_the_processor(
    transaction: Transaction,
    event: ProcessorDisputeAnswered | ProcessorDisputeAnswerOrdered | ChargebackChargeNamed,
) -> bool:
    dispute = transaction.disputes.get(event.dispute_id)
    return dispute is not None and dispute.is_open and dispute.source is DisputeSource.PROCESSOR


def _is_new(transaction: Transaction, event: ProcessorDisputeAnswerOrdered) -> bool:
    is_known = _of_the_processor(transaction, event)
    is_past = event.evidence_version <= transaction.version
    return is_known and is_past and transaction.disputes[event.dispute_id].answer is None


def _is_unsent(transaction: Transaction, event: ProcessorDisputeAnswered) -> bool:
    return _of_the_processor(transaction, event) and not transaction.disputes[event.dispute_id].is_answered


def _is_unnamed(transaction: Transaction, event: ChargebackChargeNamed) -> bool:
    if not _of_the_processor(transaction, event):
        return False
    dispute = transaction.disputes[event.dispute_id]
    return dispute.charge_id is None or dispute.is_completed_by(event.charge_id, event.charge_reference)


def _is_ordered(transaction: Transaction, event: ProcessorDisputeAnswerRefused) -> bool:
    dispute: Dispute | None = transaction.disputes.get(event.dispute_id)
    return dispute is not None and dispute.answer is not None and dispute.answer.status is AnswerStatus.ORDERED


def _is_news(transaction: Transaction, event: ForeignChargebackSeenUnnamed) -> bool:
    is_foreign = event.currency != transaction.price.currency
    return is_foreign and transaction.foreign_chargebacks.get(event.processor_dispute_id, True)


ANSWER_RULES: dict[str, Rule] = dict(
    [
        require(
            Transaction, ProcessorDisputeAnswerOrdered, "an open dispute of the processor without an answer", _is_new
        ),
        require(
            Transaction, ProcessorDisputeAnswered, "an open dispute of the processor, not answered yet", _is_unsent
        ),
        require(Transaction, ChargebackChargeNamed, "an open dispute of the processor, not named yet", _is_unnamed),
        require(Transaction, ForeignChargebackSeenUnnamed, "one in another currency, not over yet", _is_news),
        require(Transaction, ForeignChargebackSeen, "one in another currency, not over yet", _is_news),
        require(
            Transaction,
            HoldBegun,
            "something that does not hold it back yet",
            lambda x, e: e.external_payment_id not in x.held_back_by,
        ),
        require(
            Transaction,
            HoldEnded,
            "something that holds it back",
            lambda x, e: e.external_payment_id in x.held_back_by,
        ),
        require(
            Transaction,
            QuestionRefused,
            "a question that was not refused before",
            lambda x, e: e.reference not in x.refused_questions,
        ),
        require(
            Transaction,
            QuestionAnswered,
            "a question that was refused",
            lambda x, e: e.reference in x.refused_questions,
        ),
        require(Transaction, ProcessorDisputeAnswerRefused, "an answer that was ordered and not taken", _is_ordered),
    ]
)
