"""Answers to chargebacks: what the program defends by itself and when, what it leaves to people, and once only."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.errors import Forbidden
from domain.transaction.chargeback_report import ChargebackReport, dispute_id_of
from domain.transaction.commands import AcknowledgeReveal, WithdrawDispute
from domain.transaction.records import AnswerStatus, Dispute, Finding
from domain.transaction.system_commands import EnforceDeadline, RecordChargeback
from tests.domain.paths import (
    PHASES,
    answered,
    chargeback,
    completed,
    dispute,
    funded,
    order_answer,
    pending,
    releasing,
    resolve,
    reveal,
    revealed,
    signed,
)
from tests.domain.people import BUYER, SELLER, START, SUPER
from tests.domain.story import TRANSACTION_ID, Story

DUE_AT = START + timedelta(hours=16)
NUMBER = dispute_id_of(TRANSACTION_ID, "dispute-1")


def shown(story: Story) -> Story:
    """Revealed, and no word about it."""
    signed(story).do(reveal(), BUYER)
    return story


def charged_back(story: Story) -> Story:
    story.do(chargeback("open"))
    return story


def the_dispute(story: Story) -> Dispute:
    return story.transaction.disputes[NUMBER]


def is_answered(story: Story) -> bool:
    return story.do(order_answer(NUMBER)) == ["processor_dispute_answer_ordered"]


@pytest.mark.parametrize("stage", [revealed, releasing, completed])
def test_what_the_buyer_acknowledged_or_confirmed_is_defended_at_once(stage):
    assert is_answered(charged_back(stage(pending())))


def test_what_was_only_shown_is_defended_four_hours_before_it_is_due():
    story = charged_back(shown(pending()))
    story.wait_until(DUE_AT - timedelta(hours=4, seconds=1))
    assert not is_answered(story)
    assert is_answered(story.wait(seconds=1))


def test_what_was_only_shown_is_defended_at_once_when_it_is_not_known_until_when():
    story = shown(pending())
    report = chargeback("open").report
    story.do(RecordChargeback(report=replace(report, due_at=None)))
    assert is_answered(story)


def test_an_acknowledgement_during_the_chargeback_lets_it_be_defended():
    story = charged_back(shown(pending()))
    assert not is_answered(story)
    story.do(AcknowledgeReveal(), BUYER)
    assert is_answered(story)


@pytest.mark.parametrize("phase", ["pending", "funds_held", "contract_signed", "refunding", "refunded", "expired"])
def test_what_was_never_shown_or_goes_back_is_for_people(phase: str):
    story = charged_back(PHASES[phase](pending()))
    story.wait_until(DUE_AT)
    assert not is_answered(story)


@pytest.mark.parametrize("finding", [Finding.SELLER, Finding.PLATFORM])
def test_what_was_decided_for_the_buyer_is_for_people(finding: Finding):
    story = revealed(pending())
    story.do(dispute(1), BUYER)
    story.do(resolve(story, finding), SUPER)
    assert not is_answered(charged_back(story))


def test_while_the_buyer_is_heard_here_nothing_is_said_there():
    story = charged_back(revealed(pending()))
    story.do(dispute(7), BUYER)
    assert not is_answered(story)
    mine = next(one.dispute_id for one in story.transaction.open_disputes if one.dispute_id != NUMBER)
    story.do(WithdrawDispute(dispute_id=mine), BUYER)
    assert is_answered(story)


def test_a_dispute_of_the_seller_does_not_speak_for_the_buyer():
    story = charged_back(revealed(pending()))
    story.do(dispute(7), SELLER)
    assert is_answered(story)


def test_it_is_ordered_once_and_taken_once():
    story = charged_back(completed(pending()))
    story.do(order_answer(NUMBER, 17))
    story.ignores(order_answer(NUMBER, 18))
    answer = the_dispute(story).answer
    assert answer is not None
    assert (answer.status, answer.evidence_version, answer.ordered_at) == (AnswerStatus.ORDERED, 17, story.now)
    refs = ("sha256:aa", "file:x", "evidence:7")
    assert story.do(answered(NUMBER, *refs)) == ["processor_dispute_answered"]
    story.ignores(answered(NUMBER, *refs))
    story.ignores(answered(NUMBER, refusal="dispute_not_open"))
    answer = the_dispute(story).answer
    assert answer is not None
    assert (answer.status, answer.evidence_refs, answer.evidence_version) == (AnswerStatus.SENT, refs, 17)


def test_what_the_processor_refused_is_for_a_person_and_may_be_answered_by_one():
    story = charged_back(completed(pending()))
    story.do(order_answer(NUMBER))
    assert story.do(answered(NUMBER, refusal="evidence_not_found")) == ["processor_dispute_answer_refused"]
    story.ignores(answered(NUMBER, refusal="evidence_not_found"))
    story.ignores(order_answer(NUMBER))
    declined = replace(chargeback("open").report, is_declined=True, evidence_refs=("file:by-hand",))
    assert story.do(RecordChargeback(report=declined)) == ["processor_dispute_answered"]
    assert the_dispute(story).is_answered


def test_an_answer_of_a_person_there_is_known_here_and_none_is_given_on_top():
    story = completed(pending())
    declined = replace(chargeback("open").report, is_declined=True)
    assert story.do(RecordChargeback(report=declined)) == ["dispute_opened", "processor_dispute_answered"]
    assert not is_answered(story)


def test_the_answer_stands_before_the_end_in_whatever_order_it_is_heard():
    story = completed(pending())
    lost: ChargebackReport = replace(chargeback("lost").report, is_declined=True)
    done = story.do(RecordChargeback(report=lost))
    assert done[:2] == ["dispute_opened", "processor_dispute_answered"]
    story.ignores(RecordChargeback(report=lost))


def test_over_it_is_answered_no_more():
    story = completed(pending())
    story.do(chargeback("lost"))
    story.ignores(order_answer(NUMBER))
    story.ignores(answered(NUMBER))


def test_an_answer_voids_no_request_for_a_second_pair_of_eyes():
    story = charged_back(completed(pending()))
    before = story.transaction.voided_at_version
    story.do(order_answer(NUMBER))
    story.do(answered(NUMBER))
    assert story.transaction.voided_at_version == before


def test_only_the_program_answers():
    story = charged_back(completed(pending()))
    story.refuses(Forbidden, order_answer(NUMBER), SUPER)
    story.refuses(Forbidden, answered(NUMBER), SUPER)
    story.ignores(order_answer(UUID(int=0xBAD)))
    story.ignores(answered(UUID(int=0xBAD)))


def test_one_without_an_answer_is_escalated_three_hours_before_it_is_due():
    story = charged_back(funded(pending()))
    deadline = story.transaction.next_deadline
    assert deadline is not None
    assert deadline.at == DUE_AT - timedelta(hours=3)
    assert story.wait_until(deadline.at).do(EnforceDeadline()) == ["dispute_escalated"]
    assert story.last("dispute_escalated").reason == f"not answered, and due at {DUE_AT:%Y-%m-%d %H:%M} UTC"
    assert story.transaction.next_deadline is None


def test_one_that_was_answered_is_not_escalated():
    story = charged_back(completed(pending()))
    story.do(order_answer(NUMBER))
    assert story.transaction.next_deadline is not None
    story.do(answered(NUMBER))
    assert story.transaction.next_deadline is None
