"""A refund that is on its way while a chargeback takes the same money: the buyer gets it once, whatever comes of it."""

from itertools import permutations

import pytest

from domain.journal import Account
from domain.transaction.attention import PayoutNotAwaitingOtp, RefundNotAwaitingAccount
from domain.transaction.payout import NothingPayable
from domain.transaction.records import Finding, PayoutPurpose, PayoutStatus, RefundStatus
from domain.transaction.staff_commands import WriteOff
from domain.transaction.system_commands import RequestPayout, ReturnReceipts
from tests.domain.paths import (
    REASON,
    asked,
    charge,
    chargeback,
    completed,
    dispute,
    pending,
    refund,
    refunded,
    refunding,
    resolve,
    revealed,
    splitting,
    transfer,
)
from tests.domain.people import BUYER, SUPER
from tests.domain.story import Story

A = Account
PAY = RequestPayout(purpose=PayoutPurpose.REFUND, recipient="RCP_buyer")
ENDS = [("uncertain", "refused"), ("pending", "failed"), ("processing", "failed"), ("needs-attention", "failed")]


def returning() -> Story:
    """A second payment is to go back."""
    story = revealed(pending())
    story.do(charge(story, 100_000, processor_id="charge-2"))
    story.do(ReturnReceipts())
    return story


def take_back(story: Story, amount_minor: int = 100_000) -> None:
    """The buyer's bank takes back the payment whose refund is on its way."""
    is_stray = any(not one.is_of_price for one in story.transaction.refunds.values())
    of = charge(story, 100_000, processor_id="charge-2") if is_stray else None
    story.do(chargeback("lost", amount_minor, of=of))


def require_paid_once(story: Story) -> None:
    assert story.balance(A.LOSSES) == story.balance(A.REFUND_DUE) == story.balance(A.PAYOUT_IN_FLIGHT) == 0
    story.refuses(NothingPayable, PAY)
    assert not story.transaction.purposes_to_pay()


@pytest.mark.parametrize("begin", [returning, lambda: refunding(pending())], ids=["stray", "price"])
@pytest.mark.parametrize(("doubt", "end"), ENDS)
def test_a_refund_that_comes_to_nothing_after_the_chargeback_is_owed_to_nobody(begin, doubt: str, end: str):
    story = begin()
    story.do(refunded(story.refund(), doubt))
    take_back(story)
    assert story.balance(A.LOSSES) == 100_000
    assert "chargeback_refund_failed" in story.do(refunded(story.refund(), end))
    require_paid_once(story)
    assert story.transaction.refunds[story.refund()].paid_by == "dispute-1"
    story.ignores(refunded(story.refund(), end))


@pytest.mark.parametrize("begin", [returning, lambda: refunding(pending())], ids=["stray", "price"])
def test_in_whatever_order_it_is_heard_the_books_are_the_same(begin):
    start = begin()
    found = set()
    for order in permutations(("uncertain", "refused", "lost")):
        story = start.fork()
        for report in order:
            take_back(story) if report == "lost" else story.do(refunded(story.refund(), report))
        found.add(repr((story.phase, sorted(story.balances().items()))))
    assert len(found) == 1, found


@pytest.mark.parametrize("begin", [returning, lambda: refunding(pending())], ids=["stray", "price"])
def test_one_that_was_paid_is_our_loss_also_when_it_was_called_failed_before(begin):
    for reports in (("uncertain", "processed"), ("uncertain", "refused", "processed")):
        story = begin()
        reference = story.refund()
        story.do(refunded(reference, reports[0]))
        take_back(story)
        for report in reports[1:]:
            story.do(refunded(reference, report))
        assert story.transaction.refunds[reference].status is RefundStatus.PROCESSED
        assert (story.balance(A.LOSSES), story.balance(A.REFUND_DUE)) == (100_000, 0)


def failed(begin) -> Story:
    """The refund failed, and a transfer in its place was ordered."""
    story = begin()
    story.do(refunded(story.refund(), "failed"))
    story.do(PAY)
    return story


@pytest.mark.parametrize("begin", [returning, lambda: refunding(pending())], ids=["stray", "price"])
@pytest.mark.parametrize("reports", [("uncertain", "refused"), ("pending", "failed"), ("success", "reversed")])
def test_a_transfer_in_its_place_that_comes_to_nothing_is_not_repeated(begin, reports):
    story = failed(begin)
    story.do(transfer(story.payout(), reports[0]))
    take_back(story)
    assert story.balance(A.LOSSES) == 100_000
    events = story.do(transfer(story.payout(), reports[1]))
    assert "chargeback_refund_failed" in events
    assert not {"payout_given_up", "payout_retry_scheduled"} & set(events)
    require_paid_once(story)


@pytest.mark.parametrize("begin", [returning, lambda: refunding(pending())], ids=["stray", "price"])
def test_a_transfer_in_its_place_that_was_not_sent_ends_with_the_chargeback(begin):
    story = failed(begin)
    take_back(story)
    assert story.transaction.payouts[story.payout()].status is PayoutStatus.FAILED
    assert "payout_given_up" not in story.topics()
    require_paid_once(story)


def test_what_the_chargeback_left_of_a_transfer_that_it_ended_is_sent_by_itself():
    for begin in (returning, lambda: refunding(pending())):
        story = failed(begin)
        take_back(story, 30_000)
        assert "payout_given_up" not in story.topics()
        story.wait(minutes=10).do(PAY)
        assert story.last("payout_requested").amount_minor == 70_000


def test_the_part_that_the_chargeback_did_not_take_is_still_owed():
    for begin in (returning, lambda: refunding(pending())):
        story = begin()
        story.do(refunded(story.refund(), "pending"))
        take_back(story, 30_000)
        story.do(refunded(story.refund(), "failed"))
        assert (story.balance(A.LOSSES), story.balance(A.REFUND_DUE)) == (0, -70_000)
        story.do(PAY)
        assert story.last("payout_requested").amount_minor == 70_000


def half_back() -> Story:
    """The seller was paid, then half was awarded to the buyer; it is on its way."""
    story = completed(pending())
    story.do(dispute(), BUYER)
    story.do(resolve(story, Finding.BUYER), SUPER)
    story.do(refund(50_000), SUPER)
    story.do(refunded(story.refund(), "pending"))
    return story


def test_the_seller_gets_back_what_the_chargeback_took_from_him_in_its_place():
    story = half_back()
    assert story.transaction.receivable_minor == 40_000
    story.do(chargeback("lost", 60_000))
    assert (story.transaction.receivable_minor, story.balance(A.LOSSES)) == (90_000, 10_000)
    story.do(refunded(story.refund(), "failed"))
    assert (story.transaction.receivable_minor, story.balance(A.LOSSES)) == (50_000, 0)
    assert story.transaction.refundable_minor == 40_000
    require_paid_once(story)


def test_what_was_written_off_meanwhile_is_ours_again():
    story = half_back()
    story.do(chargeback("lost", 60_000))
    story.do(WriteOff(amount_minor=70_000, reason=REASON), SUPER)
    story.do(refunded(story.refund(), "failed"))
    assert (story.transaction.receivable_minor, story.balance(A.LOSSES)) == (0, 50_000)
    assert story.balance(A.SELLER_PAYABLE) == 0


def test_the_share_of_the_seller_comes_back_to_him():
    story = splitting(pending())
    story.do(refunded(story.refund(), "uncertain"))
    story.do(chargeback("lost", 60_000))
    assert (story.balance(A.SELLER_PAYABLE), story.balance(A.LOSSES)) == (0, 10_000)
    story.do(refunded(story.refund(), "refused"))
    assert (story.balance(A.SELLER_PAYABLE), story.balance(A.PLATFORM_FEE)) == (-35_000, -5_000)
    require_paid_once(story)


def test_a_refund_that_was_ordered_after_the_chargeback_is_owed_all_the_same():
    story = completed(pending())
    story.do(chargeback("lost", 40_000))
    story.do(dispute(), BUYER)
    story.do(resolve(story, Finding.SELLER), SUPER)
    story.do(refunded(story.refund(), "pending"))
    story.do(refunded(story.refund(), "failed"))
    assert story.balance(A.REFUND_DUE) == -60_000


def test_a_second_chargeback_takes_no_more_of_a_refund_than_it_gives_back():
    story = refunding(pending())
    story.do(refunded(story.refund(), "pending"))
    for number in ("dispute-1", "dispute-2"):
        story.do(chargeback("lost", 60_000, number=number))
    story.do(refunded(story.refund(), "failed"))
    assert (story.balance(A.LOSSES), story.balance(A.REFUND_DUE)) == (20_000, 0)


def test_staff_see_that_it_is_charged_back_and_send_no_account_on_for_it():
    for begin in (returning, lambda: refunding(pending())):
        story = begin()
        story.do(refunded(story.refund(), "needs-attention"))
        take_back(story)
        assert story.transaction.stuck_reason == "refund_needs_attention: charged back"
        with pytest.raises(RefundNotAwaitingAccount):
            story.transaction.refund_awaiting_account()


def test_staff_type_no_one_time_password_for_a_transfer_in_its_place():
    for begin in (returning, lambda: refunding(pending())):
        story = failed(begin)
        story.do(transfer(story.payout(), "otp"))
        take_back(story)
        assert story.transaction.is_held_up(story.transaction.payouts[story.payout()])
        assert story.transaction.stuck_reason == "payout_otp: charged back"
        with pytest.raises(PayoutNotAwaitingOtp):
            story.transaction.payout_awaiting_otp()


def test_what_is_held_pays_first_and_a_refund_in_doubt_beside_it_is_none_of_the_banks():
    """Of a payment that was too much the price is taken from the sale, and what waits goes back."""
    story = asked(pending())
    payment = charge(story, 130_000)
    story.do(payment)
    story.do(ReturnReceipts())
    story.do(refunded(story.refund(), "uncertain"))
    story.do(chargeback("lost", 100_000, of=payment))
    assert story.balance(A.LOSSES) == 0
    story.do(refunded(story.refund(), "refused"))
    assert story.balance(A.REFUND_DUE) == -30_000
