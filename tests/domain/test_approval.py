"""Four eyes: above the limit a second super_admin within 24 hours, on a transaction that has not changed."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.actor import Actor
from domain.policy import Silence, Terms
from domain.reason import ReasonTooShort
from domain.transaction.approval import ApprovalPending, ApprovalUnknown, ApprovalVoid, OwnApproval
from domain.transaction.commands import ExtendInspection, RecordStatement, WithdrawDispute
from domain.transaction.dispute import DisputeOpened, DisputeUnknown
from domain.transaction.event import TransactionEvent, TransactionMoneyEvent
from domain.transaction.force import NotStuck
from domain.transaction.inspection import InspectionExtended
from domain.transaction.note import NoteAdded
from domain.transaction.records import Finding
from domain.transaction.staff_commands import AddNote, EscalateDispute, GrantApproval, RejectApproval
from domain.transaction.state import DisputeOpen
from domain.transaction.system_commands import EnforceDeadline, RecordNotice
from eventstore.transcoder import list_event_classes
from tests.domain.paths import (
    REASON,
    dispute,
    disputed,
    funded,
    pending,
    refund,
    release,
    resolve,
    revealed,
)
from tests.domain.people import ADMIN, BUYER, BUYER_AS_STAFF, SECOND, SELLER, SUPER
from tests.domain.story import Story

LIMIT = 500  # US cents; the price is worth 1,000


def waiting(story: Story | None = None) -> Story:
    story = disputed(story or pending())
    assert story.do(refund(limit=LIMIT), SUPER) == ["approval_requested"]
    return story


def approve(story: Story) -> GrantApproval:
    return GrantApproval(approval_id=story.approval())


def test_up_to_the_limit_one_decides_alone():
    story = disputed(pending())
    assert "refund_ordered" in story.do(refund(50_000, limit=LIMIT), SUPER)


def test_above_the_limit_nothing_moves_until_a_second_agrees():
    story = waiting()
    assert story.transaction.held_minor == 100_000
    topics = story.do(approve(story), SECOND)
    assert topics == ["approval_granted", "decision_taken", "note_added", "dispute_resolved", "refund_ordered"]
    decision = story.last("decision_taken")
    assert decision.requested_by == SUPER.id
    assert decision.actor_id == SECOND.id


def test_many_small_decisions_add_up_whoever_takes_them():
    story = disputed(pending())
    story.do(refund(30_000, limit=LIMIT), SUPER)
    story.do(dispute(2), BUYER)
    story.do(refund(20_000, limit=LIMIT), SECOND)
    story.do(dispute(3), BUYER)
    assert story.do(refund(100, limit=LIMIT), SUPER) == ["approval_requested"]


def test_what_is_worth_less_than_a_cent_counts_as_one():
    story = disputed(pending())
    story.do(refund(49_900, limit=LIMIT), SUPER)
    story.do(dispute(2), BUYER)
    story.do(refund(1, limit=LIMIT), SUPER)
    story.do(dispute(3), BUYER)
    assert story.do(refund(1, limit=LIMIT), SUPER) == ["approval_requested"]


def test_release_and_resolution_need_four_eyes_too():
    story = disputed(pending())
    assert story.fork().do(release(limit=LIMIT), SUPER) == ["approval_requested"]
    assert story.fork().do(resolve(story, Finding.BUYER, limit_usd_cents=LIMIT), ADMIN) == ["approval_requested"]
    divided = resolve(story, Finding.UNCLEAR, to_buyer_minor=1, to_seller_minor=1, limit_usd_cents=LIMIT)
    assert story.fork().do(divided, SUPER) == ["approval_requested"]


def test_compensation_counts_too():
    story = disputed(pending())
    command = resolve(story, Finding.PLATFORM, compensation_minor=20_000, limit_usd_cents=1_000)
    assert story.do(command, SUPER) == ["approval_requested"]
    assert story.transaction.approvals[story.approval()].amount_minor == 120_000
    assert "compensation_granted" in story.do(approve(story), SECOND)


def test_the_listing_goes_when_the_finding_is_approved_not_when_it_is_asked_for():
    story = disputed(pending())
    story.do(resolve(story, Finding.SELLER, limit_usd_cents=LIMIT), ADMIN)
    assert story.listing.state == "reserved"
    story.do(approve(story), SUPER)
    assert story.listing.state == "removed"


def test_without_a_limit_only_refunds_go_through_on_one_persons_word():
    story = disputed(pending())
    assert "refund_ordered" in story.fork().do(refund(limit=None), SUPER)
    assert story.fork().do(release(limit=None), SUPER) == ["approval_requested"]
    command = resolve(story, Finding.BUYER, limit_usd_cents=None)
    assert story.fork().do(command, SUPER) == ["approval_requested"]


def test_nobody_approves_his_own():
    story = waiting()
    story.refuses(OwnApproval, approve(story), SUPER)
    assert "approve" not in story.actions(SUPER)
    assert "approve" in story.actions(SECOND)


def test_a_party_with_a_staff_role_approves_nothing():
    story = waiting()
    assert "approve" not in story.actions(BUYER_AS_STAFF)


def test_a_change_of_the_transaction_voids_it():
    story = waiting()
    story.do(EscalateDispute(dispute_id=story.dispute(), reason=REASON), ADMIN)
    story.refuses(ApprovalVoid, approve(story), SECOND)
    assert "approve" not in story.actions(SECOND)


def test_a_dispute_of_somebody_who_had_none_voids_it_while_it_is_open():
    story = waiting()
    story.do(dispute(2), SELLER)
    story.refuses(ApprovalVoid, approve(story), SECOND)
    assert "approve" not in story.actions(SECOND)
    story.do(WithdrawDispute(dispute_id=story.dispute()), SELLER)
    story.do(approve(story), SECOND)
    assert story.transaction.held_minor == 0


@pytest.mark.parametrize("party", [BUYER, SELLER])
def test_no_party_can_void_it_again_and_again(party: Actor):
    story = disputed(pending())
    story.do(dispute(2), SELLER)
    (own,) = (one.dispute_id for one in story.transaction.open_disputes if one.opened_by == party.id)
    story.do(RecordStatement(content_id=UUID(int=1), content_sha256="a" * 64), BUYER)
    story.do(release(limit=LIMIT), SUPER)
    story.do(RecordStatement(content_id=UUID(int=2), content_sha256="b" * 64), BUYER)
    for command in (WithdrawDispute(dispute_id=own), dispute(3)):
        story.wait(hours=1).do(command, party)
    story.do(approve(story), SECOND)
    assert story.transaction.held_minor == 0
    assert not story.transaction.open_disputes


def test_more_time_to_look_voids_nothing():
    story = revealed(pending(terms=Terms(silence=Silence.ESCALATE))).wait(days=8)
    story.do(EnforceDeadline())
    story.do(release(limit=LIMIT), SUPER)
    story.do(ExtendInspection(seconds=1, reason=REASON), SELLER)
    assert story.wait(seconds=1).do(EnforceDeadline()) == ["inspection_lapsed"]
    story.do(approve(story), SECOND)
    assert story.transaction.held_minor == 0


def test_nobody_has_more_time_while_a_dispute_is_open():
    story = waiting()
    for actor in (SELLER, ADMIN):
        story.refuses(DisputeOpen, ExtendInspection(seconds=1, reason=REASON), actor)


def test_nothing_that_moves_money_leaves_a_request_standing():
    events = {kind for kind in list_event_classes().values() if issubclass(kind, TransactionEvent)}
    outlived = {kind for kind in events if kind.IS_REMARK or not kind.VOIDS_REQUESTS}
    assert {NoteAdded, InspectionExtended, DisputeOpened} <= outlived
    assert not any(issubclass(kind, TransactionMoneyEvent) for kind in outlived)


def test_what_the_buyer_says_for_the_first_time_voids_it():
    story = waiting()
    story.do(RecordStatement(content_id=UUID(int=1), content_sha256="a" * 64), BUYER)
    story.refuses(ApprovalVoid, approve(story), SECOND)


def test_guards_hold_again_when_it_is_approved():
    story = waiting()
    story.do(WithdrawDispute(dispute_id=story.dispute()), BUYER)
    assert "approve" not in story.actions(SECOND)
    story.refuses(NotStuck, approve(story), SECOND)
    asked = disputed(pending())
    asked.do(resolve(asked, Finding.BUYER, limit_usd_cents=LIMIT), SUPER)
    asked.do(WithdrawDispute(dispute_id=asked.dispute()), BUYER)
    asked.refuses(DisputeUnknown, approve(asked), SECOND)


def test_telling_people_and_writing_notes_does_not_void_it():
    story = waiting()
    story.do(RecordNotice(template="approval", channel="e-mail", user_ids=(), outcome="sent"))
    story.do(AddNote(text="looked at the evidence"), ADMIN)
    story.do(approve(story), SECOND)
    assert story.transaction.held_minor == 0


def test_it_is_void_after_24_hours():
    story = waiting()
    story.wait(hours=24).refuses(ApprovalVoid, approve(story), SECOND)
    story.do(EnforceDeadline())
    story.refuses(ApprovalUnknown, approve(story), SECOND)


def test_a_microsecond_before_it_is_not():
    story = waiting()
    story.wait_until(story.now + timedelta(hours=24) - timedelta(microseconds=1)).do(approve(story), SECOND)


def test_only_one_waits_at_a_time():
    story = waiting()
    story.refuses(ApprovalPending, release(limit=LIMIT), SECOND)


def test_a_new_request_voids_one_that_was_overtaken():
    story = waiting()
    first = story.approval()
    story.do(dispute(2), SELLER)
    assert story.do(refund(limit=LIMIT), SECOND) == ["approval_expired", "approval_requested"]
    story.refuses(ApprovalUnknown, GrantApproval(approval_id=first), SUPER)
    story.do(approve(story), SUPER)


def test_rejected_nothing_happens_and_it_can_be_asked_for_again():
    story = waiting()
    reject = RejectApproval(approval_id=story.approval(), reason=REASON)
    story.refuses(ReasonTooShort, RejectApproval(approval_id=story.approval(), reason="no"), SECOND)
    assert story.do(reject, SECOND) == ["approval_rejected"]
    story.refuses(ApprovalUnknown, reject, SECOND)
    assert story.transaction.held_minor == 100_000
    story.do(refund(limit=LIMIT), SUPER)


def test_nothing_is_approved_twice():
    story = waiting()
    again = approve(story)
    story.do(again, SECOND)
    story.refuses(ApprovalUnknown, again, SECOND)


def test_a_small_decision_beside_a_pending_one_voids_it():
    story = waiting()
    story.do(refund(10_000, limit=LIMIT), SECOND)
    story.refuses(ApprovalVoid, approve(story), SECOND)


def test_conditions_hold_before_anything_is_asked_for():
    funded(story := pending())
    story.refuses(NotStuck, refund(limit=LIMIT), SUPER)


@pytest.mark.parametrize("price", [1, 99, 12_345])
def test_dollars_are_counted_at_the_rate_of_the_opening(price: int):
    story = disputed(pending(price))
    story.do(refund(), SUPER)
    assert story.last("decision_taken").amount_usd_cents == price * 1 // 100
