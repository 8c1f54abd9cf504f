"""What disputes do to deadlines: which stand still, and what is given back once they are closed."""

from datetime import timedelta

import pytest

from domain.policy import Silence, Terms
from domain.transaction.commands import AcknowledgeReveal, WithdrawDispute
from domain.transaction.deadline import DeadlineKind
from domain.transaction.system_commands import EnforceDeadline
from tests.domain.paths import chargeback, dispute, disputed, funded, lost, pending, refund, reveal, revealed, signed
from tests.domain.people import BUYER, SELLER, SUPER
from tests.domain.story import Story

DAY = timedelta(days=1)


@pytest.mark.parametrize(("path", "name"), [(funded, "signing"), (signed, "reveal"), (lost, "redeposit")])
def test_a_seller_who_opens_and_withdraws_disputes_puts_no_refund_off(path, name: str):
    story = path(pending())
    due = story.transaction.next_deadline
    for number, hours in enumerate((24, 24, 23)):
        story.do(dispute(number), SELLER)
        story.wait(hours=hours).do(WithdrawDispute(dispute_id=story.dispute()), SELLER)
        assert story.transaction.next_deadline == due
    assert story.wait_until(due.at).do(EnforceDeadline()) == ["refund_ordered"]
    assert story.last("refund_ordered").reason == f"{name}_lapsed"


def test_where_silence_means_a_refund_a_sellers_dispute_does_not_put_it_off():
    story = revealed(pending(terms=Terms(silence=Silence.REFUND)))
    ends = story.transaction.inspection_ends_at
    story.do(dispute(), SELLER)
    story.wait(days=2).do(WithdrawDispute(dispute_id=story.dispute()), SELLER)
    assert story.transaction.inspection_ends_at == ends


@pytest.mark.parametrize("with_buyers", [False, True])
def test_who_says_only_under_a_sellers_dispute_that_he_has_read_it_has_the_time_that_he_had_before(with_buyers: bool):
    """Silence means a refund only from then on: until then it would have waited for a person, as the dispute does."""
    story = shown(pending(terms=Terms(silence=Silence.REFUND)))
    left = story.transaction.inspection_ends_at - story.now
    story.do(dispute(1), SELLER)
    story.wait(days=4)
    if with_buyers:
        story.do(dispute(2), BUYER)
        story.wait(days=4)
    assert story.do(AcknowledgeReveal(), BUYER) == ["reveal_acknowledged", "inspection_extended"]
    if with_buyers:
        story.wait(days=4).do(WithdrawDispute(dispute_id=story.dispute()), BUYER)
    assert story.transaction.inspection_ends_at == story.now + left
    story.do(WithdrawDispute(dispute_id=next(iter(story.transaction.disputes))), SELLER)
    assert story.transaction.next_deadline == (DeadlineKind.INSPECTION, story.now + left)


def test_who_says_that_he_has_read_it_once_nothing_is_held_has_no_time_to_be_given_back():
    story = shown(pending(terms=Terms(silence=Silence.REFUND)))
    story.do(dispute(), SELLER)
    story.wait(days=1).do(chargeback("lost", 40_000))
    assert not story.transaction.is_live
    assert story.do(AcknowledgeReveal(), BUYER) == ["reveal_acknowledged"]


@pytest.mark.parametrize("silence", [Silence.RELEASE, Silence.ESCALATE])
def test_where_silence_means_no_refund_the_time_is_given_back_with_the_dispute(silence: Silence):
    story = shown(pending(terms=Terms(silence=silence)))
    ends = story.transaction.inspection_ends_at
    story.do(dispute(), SELLER)
    assert story.wait(days=4).do(AcknowledgeReveal(), BUYER) == ["reveal_acknowledged"]
    story.do(WithdrawDispute(dispute_id=story.dispute()), SELLER)
    assert story.transaction.inspection_ends_at == ends + 4 * DAY


def shown(story: Story) -> Story:
    """The buyer has not said that he has read it."""
    signed(story).do(reveal(), BUYER)
    return story


def test_a_sellers_dispute_gives_the_buyer_his_time_to_look_back():
    story = revealed(pending())
    ends = story.transaction.inspection_ends_at
    story.do(dispute(), SELLER)
    story.wait(days=2).do(WithdrawDispute(dispute_id=story.dispute()), SELLER)
    assert story.transaction.inspection_ends_at == ends + 2 * DAY


def test_of_overlapping_disputes_only_the_time_of_the_buyers_puts_a_refund_off():
    story = signed(pending())
    due = story.transaction.reveal_due_at
    story.do(dispute(1), SELLER)
    sellers = story.dispute()
    story.wait(days=1).do(dispute(2), BUYER)
    story.wait(days=4).do(WithdrawDispute(dispute_id=story.dispute()), BUYER)
    assert story.transaction.reveal_due_at == due + 4 * DAY
    story.wait(days=1).do(WithdrawDispute(dispute_id=sellers), SELLER)
    assert story.transaction.next_deadline == (DeadlineKind.REVEAL, due + 4 * DAY)


def test_overlapping_disputes_give_the_time_to_look_back_once():
    story = revealed(pending())
    ends = story.transaction.inspection_ends_at
    story.do(dispute(1), SELLER)
    sellers = story.dispute()
    story.wait(days=1).do(dispute(2), BUYER)
    story.wait(days=2).do(WithdrawDispute(dispute_id=story.dispute()), BUYER)
    story.wait(days=3).do(WithdrawDispute(dispute_id=sellers), SELLER)
    assert story.transaction.next_deadline == (DeadlineKind.INSPECTION, ends + 6 * DAY)


def test_withdrawn_the_deadlines_go_on_where_they_stopped():
    story = revealed(pending())
    ends = story.transaction.inspection_ends_at
    story.wait(hours=10).do(dispute(), BUYER)
    story.wait(days=5).do(WithdrawDispute(dispute_id=story.dispute()), BUYER)
    assert story.transaction.inspection_ends_at == ends + 5 * DAY
    assert story.phase == "credentials_released"


def test_overlapping_disputes_stop_the_clock_once():
    story = revealed(pending())
    ends = story.transaction.inspection_ends_at
    story.do(dispute(1), BUYER)
    first = story.dispute()
    story.wait(days=2).do(dispute(2), SELLER)
    second = story.dispute()
    story.wait(days=1).do(WithdrawDispute(dispute_id=first), BUYER)
    story.wait(days=1).do(WithdrawDispute(dispute_id=second), SELLER)
    assert story.transaction.inspection_ends_at == ends + 4 * DAY


def test_a_chargeback_that_is_won_gives_the_parties_their_time_back():
    story = signed(pending())
    due = story.transaction.reveal_due_at
    story.do(chargeback("open"))
    story.wait(days=10).do(chargeback("won"))
    assert story.transaction.reveal_due_at == due + 10 * DAY
    assert story.phase == "contract_signed"


def test_a_partial_refund_by_force_gives_the_rest_its_time_back():
    story = disputed(pending())
    ends = story.transaction.inspection_ends_at
    story.wait(days=6).do(refund(10_000), SUPER)
    assert story.transaction.inspection_ends_at == ends + 6 * DAY
