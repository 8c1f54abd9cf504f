"""Disputes: who, when, what they freeze, and what the decision matrix makes of them."""

import pytest

from domain.errors import Forbidden, Invalid
from domain.journal import Account
from domain.policy import Terms
from domain.reason import ReasonTooShort
from domain.transaction.commands import WithdrawDispute
from domain.transaction.compensation import CompensationTooLarge
from domain.transaction.deadline import DeadlineKind
from domain.transaction.dispute import (
    DisputeExists,
    DisputeTooLate,
    DisputeUnknown,
    FindingInvalid,
    ProcessorDecides,
)
from domain.transaction.records import Finding
from domain.transaction.settlement import AwardInvalid
from domain.transaction.staff_commands import EscalateDispute
from domain.transaction.state import DisputeOpen, NothingHeld
from domain.transaction.system_commands import EnforceDeadline, ReturnReceipts
from tests.domain.paths import (
    REASON,
    asked,
    charge,
    chargeback,
    completed,
    confirm,
    dispute,
    disputed,
    funded,
    pay_out,
    pending,
    refund,
    refunded,
    releasing,
    resolve,
    returned,
    reveal,
    revealed,
    sign,
    signed,
    split,
    transfer,
)
from tests.domain.people import ADMIN, BUYER, SECOND, SELLER, SUPER
from tests.domain.story import Story


def test_there_is_nothing_to_dispute_before_the_payment():
    asked(story := pending())
    story.refuses(NothingHeld, dispute(), BUYER)


def test_one_open_dispute_per_opener():
    story = disputed(pending())
    story.refuses(DisputeExists, dispute(2), BUYER)
    story.do(dispute(2), SELLER)
    story.do(dispute(3), ADMIN)


def test_an_id_is_used_once():
    story = disputed(pending())
    story.refuses(DisputeExists, dispute(1), SELLER)


def test_a_new_one_may_follow_when_the_first_is_closed():
    story = disputed(pending())
    story.do(WithdrawDispute(dispute_id=story.dispute()), BUYER)
    story.do(dispute(2), BUYER)


@pytest.mark.parametrize("ended", [completed, returned, split])
def test_the_window_closes_30_days_after_the_end(ended):
    story = ended(pending())
    story.fork().wait(days=30).do(dispute(9), BUYER)
    story.wait(days=30, microseconds=1).refuses(DisputeTooLate, dispute(9), BUYER)
    story.do(chargeback("open"))


@pytest.mark.parametrize("ended", [returned, split])
def test_stray_money_that_goes_back_neither_moves_the_end_nor_opens_the_window_again(ended):
    story = ended(pending())
    refunded_at = story.transaction.refunded_at
    story.wait(days=20).do(charge(story, processor_id="charge-2"))
    story.do(ReturnReceipts())
    story.do(refunded(story.refund(), "processed"))
    assert (story.phase, story.transaction.refunded_at) == (ended.__name__.replace("returned", "refunded"), refunded_at)
    story.fork().wait(days=10).do(dispute(9), BUYER)
    story.wait(days=10, microseconds=1).refuses(DisputeTooLate, dispute(9), BUYER)


def test_the_window_is_open_as_long_as_it_takes_to_complete():
    releasing(story := pending())
    story.wait(days=90).do(dispute(), BUYER)


def test_a_dispute_after_completion_shows_as_disputed_and_keeps_the_day_of_completion():
    story = completed(pending())
    done = story.transaction.completed_at
    story.wait(days=3).do(dispute(), BUYER)
    assert story.phase == "disputed"
    story.do(resolve(story, Finding.BUYER), ADMIN)
    assert story.phase == "completed"
    assert story.transaction.completed_at == done


def test_an_open_dispute_freezes_what_the_parties_could_do():
    story = disputed(pending())
    story.refuses(DisputeOpen, confirm(), BUYER)
    early = signed(pending())
    early.do(dispute(), SELLER)
    early.refuses(DisputeOpen, reveal(), BUYER)
    unsigned = funded(pending())
    unsigned.do(dispute(), ADMIN)
    unsigned.refuses(DisputeOpen, sign(), BUYER)


@pytest.mark.parametrize("opener", [BUYER, ADMIN])
def test_a_dispute_stops_the_clock_of_every_lapse(opener):
    for path in (funded, signed, revealed):
        story = path(pending())
        story.do(dispute(), opener)
        assert story.transaction.next_deadline.kind is DeadlineKind.DISPUTE


def test_a_sellers_dispute_never_blocks_the_refund_of_a_lapse():
    for path, topic in ((funded, "signing_lapsed"), (signed, "reveal_lapsed")):
        story = path(pending())
        story.do(dispute(), SELLER)
        story.wait(hours=72)
        assert story.do(EnforceDeadline()) == ["refund_ordered"]
        assert story.last("refund_ordered").reason == topic
        story.do(refunded(story.refund(), "processed"))
        assert story.phase == "refunded"


def test_a_sellers_dispute_stops_the_release_of_a_lapse():
    story = revealed(pending())
    story.do(dispute(), SELLER)
    assert story.transaction.next_deadline.kind is DeadlineKind.DISPUTE


def test_a_sellers_dispute_beside_a_buyers_stops_the_clock():
    story = signed(pending())
    story.do(dispute(1), SELLER)
    story.do(dispute(2), BUYER)
    assert story.transaction.next_deadline.kind is DeadlineKind.DISPUTE


def test_a_sellers_dispute_does_not_block_calling_it_off_together():
    from tests.domain.paths import cancel

    story = signed(pending())
    story.do(dispute(), SELLER)
    story.do(cancel(), BUYER)
    assert "refund_ordered" in story.do(cancel(), SELLER)


def test_only_its_opener_withdraws_it_and_once():
    story = disputed(pending())
    withdraw = WithdrawDispute(dispute_id=story.dispute())
    story.refuses(Forbidden, withdraw, SELLER)
    story.refuses(Forbidden, withdraw, SUPER)
    story.do(withdraw, BUYER)
    story.refuses(DisputeUnknown, withdraw, BUYER)


def test_buyer_at_fault_releases():
    story = disputed(pending())
    topics = story.do(resolve(story, Finding.BUYER), ADMIN)
    assert topics == ["decision_taken", "note_added", "dispute_resolved", "release_ordered"]
    assert story.listing.state == "reserved"


def test_seller_at_fault_refunds_everything_and_removes_the_listing():
    story = disputed(pending())
    topics = story.do(resolve(story, Finding.SELLER), ADMIN)
    assert topics == ["decision_taken", "note_added", "dispute_resolved", "refund_ordered"]
    assert story.listing.state == "removed"
    assert story.transaction.settlement == "returned"


def test_platform_at_fault_refunds_everything_and_may_compensate():
    story = disputed(pending())
    topics = story.do(resolve(story, Finding.PLATFORM, compensation_minor=100), SUPER)
    assert topics[-2:] == ["refund_ordered", "compensation_granted"]
    assert story.listing.state == "reserved"


def test_unclear_is_divided_by_a_super_admin():
    story = disputed(pending())
    divided = resolve(story, Finding.UNCLEAR, to_buyer_minor=60_000, to_seller_minor=30_000)
    story.refuses(Forbidden, divided, ADMIN)
    story.do(divided, SUPER)
    assert story.balance(Account.REFUND_DUE) == -60_000
    assert story.balance(Account.SELLER_PAYABLE) == -30_000
    assert story.balance(Account.PLATFORM_FEE) == -10_000


def test_unclear_with_everything_to_the_buyer_is_a_full_refund():
    story = disputed(pending())
    story.do(resolve(story, Finding.UNCLEAR, to_buyer_minor=100_000, to_seller_minor=0), SUPER)
    assert story.transaction.settlement == "returned"


@pytest.mark.parametrize(("buyer", "seller"), [(100_001, 0), (50_000, 50_001), (-1, 1), (1, -1)])
def test_an_award_divides_no_more_than_is_held(buyer: int, seller: int):
    story = disputed(pending())
    story.refuses(AwardInvalid, resolve(story, Finding.UNCLEAR, to_buyer_minor=buyer, to_seller_minor=seller), SUPER)


def test_amounts_are_given_exactly_when_it_is_unclear():
    story = disputed(pending())
    story.refuses(FindingInvalid, resolve(story, Finding.UNCLEAR), SUPER)
    story.refuses(FindingInvalid, resolve(story, Finding.SELLER, to_buyer_minor=1), SUPER)
    for finding in (Finding.PROCESSOR_LOST, Finding.PROCESSOR_WON, Finding.WITHDRAWN):
        story.refuses(FindingInvalid, resolve(story, finding), SUPER)


def test_compensation_is_a_super_admins_and_only_for_a_fault_of_the_platform():
    story = disputed(pending())
    story.refuses(Forbidden, resolve(story, Finding.PLATFORM, compensation_minor=1), ADMIN)
    story.refuses(AwardInvalid, resolve(story, Finding.SELLER, compensation_minor=1), SUPER)


def test_compensation_is_capped_over_all_grants():
    story = disputed(pending())
    refusal = story.refuses(CompensationTooLarge, resolve(story, Finding.PLATFORM, compensation_minor=20_001), SUPER)
    assert refusal.facts["remaining_minor"] == 20_000
    story.refuses(CompensationTooLarge, resolve(story, Finding.PLATFORM, compensation_minor=-1), SUPER)
    story.do(resolve(story, Finding.PLATFORM, compensation_minor=15_000), SUPER)
    story.do(refunded(story.refund(), "processed"))
    story.do(dispute(2), BUYER)
    story.refuses(CompensationTooLarge, resolve(story, Finding.PLATFORM, compensation_minor=5_001), SUPER)
    story.do(resolve(story, Finding.PLATFORM, compensation_minor=5_000), SUPER)


def test_a_decision_needs_a_reason():
    story = disputed(pending())
    story.refuses(ReasonTooShort, resolve(story, Finding.SELLER, reason="too short"), SUPER)


def test_staff_say_why_they_hand_it_on():
    story = disputed(pending())
    story.refuses(ReasonTooShort, EscalateDispute(dispute_id=story.dispute(), reason="too hard"), ADMIN)


def test_no_deadline_moves_that_did_not_stand_still():
    settled = releasing(pending())
    settled.do(dispute(), BUYER)
    settled.wait(days=2)
    assert settled.do(resolve(settled, Finding.BUYER), ADMIN)[-1] == "dispute_resolved"
    reserved = disputed(pending(terms=Terms(reserve_bps=1_000, warranty_seconds=86_400))).wait(days=2)
    assert reserved.do(resolve(reserved, Finding.BUYER), ADMIN)[-1] == "release_ordered", "the warranty begins with it"
    held = disputed(pending()).wait(days=2)
    assert held.do(refund(1), SUPER)[-1] == "clocks_resumed"


def test_escalated_it_is_a_super_admins():
    story = disputed(pending())
    story.do(EscalateDispute(dispute_id=story.dispute(), reason=REASON), ADMIN)
    story.ignores(EscalateDispute(dispute_id=story.dispute(), reason=REASON), ADMIN)
    story.refuses(Forbidden, resolve(story, Finding.SELLER), ADMIN)
    assert "resolve-dispute" not in story.actions(ADMIN)
    assert "resolve-dispute" in story.actions(SUPER)
    story.do(resolve(story, Finding.SELLER), SUPER)


@pytest.mark.weakness("W24")
def test_the_clock_escalates_after_seven_days():
    story = disputed(pending())
    story.wait(days=7).do(EnforceDeadline())
    assert story.transaction.disputes[story.dispute()].escalated
    assert story.transaction.next_deadline is None


def test_one_decision_closes_every_dispute_that_people_opened():
    story = disputed(pending())
    story.do(dispute(2), SELLER)
    story.do(resolve(story, Finding.BUYER), SUPER)
    assert not story.transaction.open_disputes


def test_the_processors_dispute_is_not_decided_here():
    story = disputed(pending())
    human = resolve(story, Finding.SELLER)
    story.do(chargeback("open"))
    story.refuses(ProcessorDecides, resolve(story, Finding.SELLER), SUPER)
    story.refuses(ProcessorDecides, human, SUPER)
    story.refuses(ProcessorDecides, refund(), SUPER)
    story.do(chargeback("won"))
    story.do(human, SUPER)


def test_nothing_is_decided_twice():
    story = disputed(pending())
    again = resolve(story, Finding.SELLER)
    story.do(again, SUPER)
    story.refuses(DisputeUnknown, again, SUPER)


def test_after_the_payout_seller_at_fault_becomes_the_sellers_debt():
    story = completed(pending())
    story.do(dispute(), BUYER)
    story.do(resolve(story, Finding.SELLER), SUPER)
    assert story.balance(Account.SELLER_RECEIVABLE) == 90_000
    story.do(refunded(story.refund(), "processed"))
    assert story.transaction.stuck_reason == "awaiting_recovery_from_seller"


def test_after_the_payout_it_may_be_divided_from_the_sellers_side():
    story = completed(pending())
    story.do(dispute(), BUYER)
    story.refuses(AwardInvalid, resolve(story, Finding.UNCLEAR, to_buyer_minor=1, to_seller_minor=1), SUPER)
    story.do(resolve(story, Finding.UNCLEAR, to_buyer_minor=30_000, to_seller_minor=0), SUPER)
    assert story.balance(Account.SELLER_RECEIVABLE) == 20_000


def test_a_dispute_between_release_and_payout_takes_the_refund_from_what_is_payable():
    story = releasing(pending())
    story.do(dispute(), BUYER)
    story.do(resolve(story, Finding.SELLER), SUPER)
    assert story.balance(Account.SELLER_RECEIVABLE) == 0
    assert story.balance(Account.SELLER_PAYABLE) == 0


def test_a_refund_with_the_payout_in_flight_waits_for_the_seller_to_give_back():
    story = releasing(pending())
    story.do(pay_out())
    story.do(dispute(), BUYER)
    story.do(resolve(story, Finding.SELLER), SUPER)
    assert story.balance(Account.SELLER_RECEIVABLE) == 90_000
    story.do(transfer(story.payout(), "refused"))
    assert story.balance(Account.SELLER_RECEIVABLE) == 0


def test_every_invalid_decision_is_invalid_for_the_caller():
    assert issubclass(AwardInvalid, Invalid)
    assert issubclass(FindingInvalid, Invalid)


def test_stories_can_be_forked():
    story: Story = disputed(pending())
    twin = story.fork()
    twin.do(resolve(twin, Finding.SELLER), SECOND)
    assert story.phase == "disputed"
    assert story.listing.state == "reserved"
