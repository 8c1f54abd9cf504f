"""Force: conditions, and when it becomes possible."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.reason import ReasonTooShort
from domain.transaction.commands import RecordStatement, WithdrawDispute
from domain.transaction.dispute import ProcessorDecides
from domain.transaction.force import DisputeFirst, NotStuck, RecipientMissing, RevealFirst
from domain.transaction.payment import AlreadyPaid
from domain.transaction.records import Finding, PayoutPurpose
from domain.transaction.settlement import RefundTooLarge
from domain.transaction.state import NothingHeld
from tests.domain.paths import (
    BUYER_KEY,
    asked,
    chargeback,
    completed,
    dispute,
    disputed,
    funded,
    pay_out,
    payout_failed,
    pending,
    refund,
    refunded,
    refunding,
    release,
    releasing,
    resolve,
    returned,
    revealed,
    sign,
    signed,
    transfer,
)
from tests.domain.people import BUYER, SELLER, SUPER

STATEMENT = RecordStatement(content_id=UUID(int=1), content_sha256="a" * 64)


@pytest.mark.parametrize("path", [funded, signed, revealed])
def test_refund_becomes_possible_seven_days_after_the_phase_began(path):
    story = path(pending())
    refusal = story.refuses(NotStuck, refund(), SUPER)
    possible_at = datetime.fromisoformat(str(refusal.facts["possible_at"]))
    assert possible_at == story.transaction.phase_since + timedelta(days=7)
    story.wait_until(possible_at).refuses(NotStuck, refund(), SUPER)
    story.wait(microseconds=1).do(refund(), SUPER)
    assert story.phase == "refunding"


def test_a_new_phase_starts_the_seven_days_anew():
    story = funded(pending()).wait(days=2)
    story.do(sign(), BUYER)
    story.do(sign(BUYER_KEY), SELLER)
    story.wait(days=6).refuses(NotStuck, refund(), SUPER)


def test_a_dispute_a_failed_payout_or_a_decision_make_it_possible_at_once():
    disputed(story := pending())
    story.do(release(), SUPER)
    failed = payout_failed(pending())
    failed.do(release(), SUPER)
    decided = completed(pending())
    decided.do(dispute(), BUYER)
    decided.do(resolve(decided, Finding.BUYER), SUPER)
    decided.do(refund(), SUPER)


def test_a_dispute_that_was_withdrawn_is_none():
    story = disputed(pending())
    story.do(WithdrawDispute(dispute_id=story.dispute()), BUYER)
    story.refuses(NotStuck, release(), SUPER)


def test_release_before_the_reveal_needs_the_buyers_word_or_a_decision():
    story = signed(pending())
    story.wait(days=8).refuses(RevealFirst, release(), SUPER)
    story.do(STATEMENT, BUYER)
    story.do(release(), SUPER)


def test_an_open_dispute_is_not_a_decision():
    story = signed(pending())
    story.do(dispute(), BUYER)
    story.refuses(RevealFirst, release(), SUPER)


def test_a_chargeback_that_was_won_is_no_decision_to_release_before_the_reveal():
    story = signed(pending())
    story.do(chargeback("open"))
    story.do(chargeback("won"))
    story.wait(days=8).refuses(RevealFirst, release(), SUPER)


def test_force_is_no_decision_of_the_dispute_that_it_closes():
    story = signed(pending())
    story.do(dispute(), BUYER)
    story.do(refund(1), SUPER)
    story.wait(days=8).refuses(RevealFirst, release(), SUPER)
    other = disputed(pending())
    other.do(release(), SUPER)
    other.wait(days=8).refuses(DisputeFirst, refund(), SUPER)


def test_what_a_partial_chargeback_leaves_of_a_cancelled_refund_is_paid_by_force():
    story = disputed(pending())
    story.do(refund(), SUPER)
    story.do(chargeback("lost", 40_000))
    assert "release" in story.actions(SUPER)
    assert "payout_requested" in story.do(release("RCP_buyer", PayoutPurpose.REFUND), SUPER)
    assert story.last("payout_requested").amount_minor == 60_000


def test_nobody_is_asked_to_approve_a_payout_to_nobody():
    story = refunding(pending())
    story.do(refunded(story.refund(), "failed"))
    for limit in (0, 10**9):
        story.refuses(RecipientMissing, release(limit=limit), SUPER)
    assert story.do(release("RCP_buyer", PayoutPurpose.REFUND, limit=0), SUPER) == ["approval_requested"]


def test_a_statement_is_made_about_money_that_is_held():
    asked(story := pending())
    story.refuses(NothingHeld, STATEMENT, BUYER)


def test_a_forced_release_after_the_reveal_closes_the_dispute():
    story = disputed(pending())
    topics = story.do(release(), SUPER)
    assert topics == ["decision_taken", "note_added", "dispute_resolved", "release_ordered"]


def test_money_effect_note_and_decision_follow_from_one_append():
    story = disputed(pending())
    topics = story.do(refund(), SUPER)
    assert topics == ["decision_taken", "note_added", "dispute_resolved", "refund_ordered"]
    decision, note = story.last("decision_taken"), story.last("note_added")
    assert decision.command_id == note.command_id == story.last("refund_ordered").command_id
    assert decision.actor_role == "super_admin"


def test_release_after_a_failed_payout_means_pay_out_again():
    story = payout_failed(pending())
    assert story.do(release("RCP_new", PayoutPurpose.SELLER), SUPER) == [
        "decision_taken",
        "note_added",
        "payout_requested",
    ]
    assert story.transaction.payouts[story.payout()].recipient == "RCP_new"
    other = payout_failed(pending())
    other.do(release(), SUPER)
    assert other.transaction.payouts[other.payout()].recipient == "RCP_seller"


def test_release_repeats_a_failed_transfer_to_the_buyer_too():
    story = refunding(pending())
    story.do(refunded(story.refund(), "failed"))
    story.do(pay_out(PayoutPurpose.REFUND, "RCP_buyer"))
    story.do(transfer(story.payout(), "refused"))
    story.do(release(), SUPER)
    assert story.transaction.payouts[story.payout()].purpose is PayoutPurpose.REFUND


def test_a_failed_payout_with_an_open_dispute_is_released_by_closing_it():
    story = payout_failed(pending())
    story.do(dispute(), BUYER)
    assert story.do(release(), SUPER)[-2:] == ["dispute_resolved", "payout_requested"]


def test_there_is_nothing_to_release_when_nothing_is_held():
    story = releasing(pending())
    story.wait(days=8).refuses(NothingHeld, release(), SUPER)
    asked(unpaid := pending())
    unpaid.wait(days=8).refuses(NothingHeld, release(), SUPER)


def test_a_refund_after_the_release_needs_a_decided_dispute():
    story = releasing(pending())
    story.wait(days=8).refuses(DisputeFirst, refund(), SUPER)
    story.do(dispute(), SELLER)
    story.refuses(DisputeFirst, refund(), SUPER)


def test_a_chargeback_that_was_won_is_no_decision_to_refund_after_the_release():
    story = releasing(pending())
    story.do(chargeback("open"))
    story.do(chargeback("won"))
    story.wait(days=8).refuses(DisputeFirst, refund(), SUPER)


@pytest.mark.parametrize("amount", [0, -1, 100_001])
def test_a_refund_is_at_least_one_and_at_most_what_came(amount: int):
    disputed(story := pending())
    refusal = story.refuses(RefundTooLarge, refund(amount), SUPER)
    assert refusal.facts["refundable_minor"] == 100_000


def test_nothing_is_refunded_twice():
    story = returned(pending())
    story.do(dispute(), BUYER)
    story.refuses(RefundTooLarge, refund(), SUPER)


def test_a_part_and_then_the_rest():
    story = disputed(pending())
    story.do(refund(40_000), SUPER)
    story.do(refund(), SUPER)
    assert [r.amount_minor for r in story.transaction.refunds.values()] == [40_000, 60_000]
    assert story.transaction.settlement == "returned"


def test_the_processors_dispute_comes_first():
    story = revealed(pending())
    story.do(chargeback("open"))
    story.refuses(ProcessorDecides, release(), SUPER)
    story.refuses(ProcessorDecides, refund(), SUPER)


@pytest.mark.parametrize("reason", ["", "too short", " " * 20, "\u200b" * 20, "x" * 2001])
def test_a_reason_is_required(reason: str):
    disputed(story := pending())
    story.refuses(ReasonTooShort, release(reason=reason), SUPER)
    story.refuses(ReasonTooShort, refund(reason=reason), SUPER)


def test_a_completed_transaction_says_not_when_force_becomes_possible():
    completed(story := pending())
    story.wait(days=400)
    assert "possible_at" not in story.refuses(NotStuck, refund(), SUPER).facts


def test_a_buyer_cannot_pay_what_was_released():
    from domain.transaction.commands import RequestPayment

    releasing(story := pending())
    story.refuses(AlreadyPaid, RequestPayment(), BUYER)
