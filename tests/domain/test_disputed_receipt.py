"""Stray money that the payer's bank disputes is not sent back meanwhile: he would have it twice."""

from dataclasses import replace

import pytest

from domain.journal import Account
from domain.transaction.chargeback_report import ChargebackOutcome
from domain.transaction.payout import NothingPayable
from domain.transaction.records import PayoutPurpose, PayoutStatus
from domain.transaction.state import DisputeOpen
from domain.transaction.system_commands import RecordCharge, RecordChargeback, RequestPayout, ReturnReceipts
from tests.domain.golden_chargebacks import disputed_late
from tests.domain.paths import (
    asked,
    cancel,
    charge,
    chargeback,
    completed,
    dispute,
    pending,
    refunded,
    revealed,
    signed,
    transfer,
)
from tests.domain.people import BUYER, SELLER, SUPER
from tests.domain.story import Story

A = Account
NAMED = "chargeback_charge_named"


def paid_twice() -> Story:
    story = revealed(pending())
    story.do(second(story))
    return story


def second(story: Story) -> RecordCharge:
    return charge(story, 100_000, processor_id="charge-2")


def by_number(outcome: str, *, of: RecordCharge) -> RecordChargeback:
    """The processor names the charge without its reference."""
    return RecordChargeback(report=replace(chargeback(outcome, of=of).report, charge_reference=None))


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_second_payment_waits_while_it_is_disputed(outcome: str):
    story = paid_twice()
    assert story.do(chargeback("open", of=second(story))) == ["dispute_opened", NAMED]
    story.ignores(ReturnReceipts())
    assert story.transaction.stuck_reason == "dispute_open: processor"
    story.do(chargeback(outcome, of=second(story)))
    if outcome == "won":
        assert story.do(ReturnReceipts()) == ["receipt_return_ordered"]
    else:
        story.ignores(ReturnReceipts())
        assert story.balance(A.REFUND_DUE) == 0
    assert story.balance(A.UNMATCHED_RECEIPTS) == story.balance(A.LOSSES) == 0
    assert story.transaction.held_minor == 100_000


def test_other_stray_money_goes_back_meanwhile():
    story = paid_twice()
    story.do(charge(story, 30_000, processor_id="charge-3"))
    story.do(chargeback("open", of=second(story)))
    assert story.transaction.stuck_reason == "receipts_in_suspense"
    assert story.do(ReturnReceipts()) == ["receipt_return_ordered"]
    assert story.last("receipt_return_ordered").processor_id == "charge-3"
    assert story.transaction.stuck_reason == "dispute_open: processor"


@pytest.mark.parametrize("amount", [20_000, 130_000])
def test_what_was_paid_too_much_waits_while_the_payment_is_disputed(amount: int):
    story = asked(pending())
    payment = charge(story, 130_000)
    story.do(payment)
    assert story.do(chargeback("open", amount, of=payment)) == ["dispute_opened", NAMED]
    story.ignores(ReturnReceipts())
    story.do(chargeback("lost", amount, of=payment))
    rest = 130_000 - amount
    assert story.balance(A.LOSSES) == 0
    assert (story.transaction.held_minor, -story.balance(A.UNMATCHED_RECEIPTS)) == (
        (80_000, 30_000) if rest else (0, 0)
    )
    assert bool(story.transaction.returnable_receipts) == bool(rest)


def test_the_charge_of_a_chargeback_may_be_named_later_and_is_recorded_once():
    story = paid_twice()
    assert story.do(chargeback("open")) == ["dispute_opened"]
    assert story.do(chargeback("open", of=second(story))) == [NAMED]
    assert story.last(NAMED).charge_id == "charge-2"
    for report in (chargeback("open"), chargeback("open", of=second(story)), ReturnReceipts()):
        story.ignores(report)


def test_once_it_was_named_it_need_not_be_named_again():
    """The last answer leaves the charge out: what was disputed is taken, also where its return was ordered."""
    for is_ordered in (False, True):
        story = paid_twice()
        if is_ordered:
            story.do(ReturnReceipts())
        story.do(chargeback("open", of=second(story)))
        assert "stray_chargeback_lost" in story.do(chargeback("lost"))
        assert story.balance(A.UNMATCHED_RECEIPTS) == story.balance(A.REFUND_DUE) == story.balance(A.LOSSES) == 0
        assert story.transaction.held_minor == 100_000


def test_what_is_lost_of_a_charge_named_by_number_cancels_the_return_that_its_reference_told_of():
    story = paid_twice()
    story.do(ReturnReceipts())
    story.do(chargeback("open", of=second(story)))
    assert "stray_chargeback_lost" in story.do(by_number("lost", of=second(story)))
    assert story.transaction.refunds[story.refund()].status.value == "cancelled"
    assert story.balance(A.REFUND_DUE) == story.balance(A.LOSSES) == 0


def test_what_is_lost_of_a_charge_that_is_never_named_but_by_number_takes_its_return_with_it():
    """Paystack may not know the charge by that number any more."""
    story = failed_back()
    story.do(charge(story, 30_000, processor_id="charge-3"))
    story.do(ReturnReceipts())
    (failed, back), (payout,) = story.transaction.refunds.values(), story.transaction.payouts
    other = charge(story, 30_000, processor_id="charge-3")
    for number, amount, of in (("dispute-1", 100_000, second(story)), ("dispute-2", 30_000, other)):
        report = replace(by_number("open", of=of).report, processor_dispute_id=number, amount_minor=amount)
        story.do(RecordChargeback(report=report))
        assert [story.transaction.is_disputed(one) for one in (failed, back)] == [
            number == "dispute-1",
            number != "dispute-1",
        ]
        story.do(RecordChargeback(report=replace(report, outcome=ChargebackOutcome.LOST)))
    assert story.transaction.payouts[payout].status is PayoutStatus.FAILED
    assert story.balance(A.REFUND_DUE) == story.balance(A.PAYOUT_IN_FLIGHT) == story.balance(A.LOSSES) == 0


def test_the_reference_of_a_charge_that_was_named_by_number_is_recorded_once_it_is_known():
    story = paid_twice()
    story.do(ReturnReceipts())
    (back,) = story.transaction.refunds.values()
    assert story.do(by_number("open", of=second(story))) == ["dispute_opened", NAMED]
    other = charge(story, 100_000, processor_id="charge-3")
    for report in (by_number("open", of=second(story)), chargeback("open", of=other), chargeback("open")):
        story.ignores(report)
    assert story.do(chargeback("open", of=second(story))) == [NAMED]
    assert story.transaction.is_disputed(back)
    for report in (chargeback("open", of=second(story)), by_number("open", of=second(story)), chargeback("open")):
        story.ignores(report)
    story.do(by_number("lost", of=second(story)))
    assert story.balance(A.REFUND_DUE) == story.balance(A.LOSSES) == 0


def test_a_payment_that_is_heard_of_only_after_its_chargeback_waits_as_well():
    story = revealed(pending())
    story.do(chargeback("open", of=second(story)))
    story.do(second(story))
    story.ignores(ReturnReceipts())


def test_of_the_payment_that_was_just_the_price_nothing_waits_and_nothing_is_named():
    story = completed(pending())
    price = charge(story, processor_id=story.transaction.processor_charge_id or "")
    assert story.do(chargeback("open", of=price)) == ["dispute_opened"]


def test_a_return_that_was_ordered_before_is_not_to_be_sent_while_it_is_disputed():
    story = paid_twice()
    story.do(ReturnReceipts())
    (back,) = story.transaction.refunds.values()
    assert not story.transaction.is_disputed(back)
    story.do(chargeback("open", of=second(story)))
    assert story.transaction.is_disputed(back)
    story.do(chargeback("won", of=second(story)))
    assert not story.transaction.is_disputed(back)


def test_what_was_ordered_back_of_the_price_is_sent_all_the_same():
    story = signed(pending())
    story.do(second(story))
    for party in (BUYER, SELLER):
        story.do(cancel(), party)
    story.do(chargeback("open", of=second(story)))
    (price,) = story.transaction.refunds.values()
    assert not story.transaction.is_disputed(price)
    story.ignores(ReturnReceipts())


def test_a_return_that_failed_is_not_paid_by_transfer_while_it_is_disputed():
    story = paid_twice()
    story.do(ReturnReceipts())
    story.do(refunded(story.refund(), "failed"))
    story.do(chargeback("open", of=second(story)))
    pay = RequestPayout(purpose=PayoutPurpose.REFUND, recipient="RCP_buyer")
    assert story.transaction.is_frozen(PayoutPurpose.REFUND)
    story.refuses(DisputeOpen, pay)
    story.do(chargeback("won", of=second(story)))
    assert story.do(pay) == ["payout_requested"]


def failed_back() -> Story:
    """The return of a second payment failed, and a transfer was ordered that nobody has sent yet."""
    story = paid_twice()
    story.do(ReturnReceipts())
    story.do(refunded(story.refund(), "failed"))
    story.do(RequestPayout(purpose=PayoutPurpose.REFUND, recipient="RCP_buyer"))
    return story


def test_a_transfer_that_was_ordered_before_is_not_sent_while_it_is_disputed():
    story = failed_back()
    story.do(chargeback("open", of=second(story)))
    assert story.transaction.is_frozen(PayoutPurpose.REFUND)
    story.do(chargeback("won", of=second(story)))
    assert not story.transaction.is_frozen(PayoutPurpose.REFUND)
    assert "payout_succeeded" in story.do(transfer(story.payout(), "success"))


def test_a_transfer_that_was_not_sent_ends_with_the_chargeback_that_was_lost():
    story = failed_back()
    story.do(chargeback("open", of=second(story)))
    story.do(chargeback("lost", of=second(story)))
    assert story.balance(A.LOSSES) == story.balance(A.REFUND_DUE) == story.balance(A.PAYOUT_IN_FLIGHT) == 0
    (payout,) = story.transaction.payouts.values()
    assert payout.status is PayoutStatus.FAILED
    assert story.transaction.stuck_reason == revealed(pending()).transaction.stuck_reason
    story.refuses(NothingPayable, RequestPayout(purpose=PayoutPurpose.REFUND, recipient="RCP_buyer"))


def test_a_transfer_that_was_sent_unheard_before_it_ended_is_our_loss():
    story = failed_back()
    story.do(chargeback("open", of=second(story)))
    story.do(chargeback("lost", of=second(story)))
    assert story.do(transfer(story.payout(), "success")) == ["payout_paid_after_all"]
    assert story.balance(A.LOSSES) == 100_000


def test_no_account_is_sent_on_for_a_return_that_is_disputed():
    story = paid_twice()
    story.do(ReturnReceipts())
    story.do(refunded(story.refund(), "needs-attention"))
    assert story.transaction.refund_awaiting_account()
    story.do(chargeback("open", of=second(story)))
    with pytest.raises(DisputeOpen):
        story.transaction.refund_awaiting_account()
    assert "retry-refund" not in story.transaction.allowed_actions(SUPER, story.now)


def test_a_dispute_of_the_buyer_holds_no_stray_money_back():
    story = paid_twice()
    story.do(dispute(), BUYER)
    assert story.do(ReturnReceipts()) == ["receipt_return_ordered"]


def test_the_story_of_one_that_was_named_late_costs_nobody_anything():
    story = disputed_late()
    assert story.balance(A.UNMATCHED_RECEIPTS) == story.balance(A.LOSSES) == 0
