"""Chargebacks of money that is not the price's, and of more than is left: named or booked, and never dropped.

What came in another currency waits for its return as all stray money does.
"""

from dataclasses import replace

import pytest

from domain.journal import Account
from domain.money import Currency
from domain.transaction.records import PayoutPurpose
from domain.transaction.system_commands import RecordCharge, RecordChargeback, ReturnReceipts
from tests.domain.paths import (
    PHASES,
    charge,
    chargeback,
    completed,
    funded,
    pay_out,
    pending,
    refunded,
    releasing,
)
from tests.domain.story import Story

A = Account


def foreign(outcome: str, number: str = "dispute-1", amount_minor: int = 5_000) -> RecordChargeback:
    report = chargeback(outcome, amount_minor, number=number).report
    return RecordChargeback(report=replace(report, currency="USD"))


@pytest.mark.parametrize("phase", PHASES)
def test_one_in_another_currency_is_named_and_moves_nothing(phase: str):
    story = PHASES[phase](pending())
    before, was = story.balances(), story.phase
    for outcome in ("open", "lost"):
        assert story.do(foreign(outcome, "another")) == ["foreign_chargeback_seen"]
        story.ignores(foreign(outcome, "another"))
    assert (story.balances(), story.phase) == (before, was)


@pytest.mark.parametrize("end", ["won", "lost"])
def test_one_in_another_currency_is_waited_for_until_it_is_over(end: str):
    story = PHASES["completed"](pending())
    story.do(foreign("open"))
    assert story.transaction.stuck_reason == "chargeback_open: in another currency"
    story.do(foreign(end))
    assert story.transaction.stuck_reason is None
    story.ignores(foreign("open"))
    story.ignores(foreign("lost"))


def test_in_whatever_order_it_is_heard_it_ends_the_same():
    story = funded(pending())
    assert story.do(foreign("lost")) == ["foreign_chargeback_seen"]
    story.ignores(foreign("open"))
    assert story.transaction.foreign_chargebacks == {"dispute-1": False}


def test_one_in_the_prices_currency_is_an_ordinary_one():
    story = funded(pending())
    report = replace(chargeback("open").report, currency="KES")
    assert story.do(RecordChargeback(report=report)) == ["dispute_opened"]


@pytest.mark.parametrize("stage", [funded, releasing])
def test_more_than_is_left_is_booked_whole_and_the_rest_is_a_loss(stage):
    story = stage(pending())
    story.do(chargeback("lost", 70_000, number="first"))
    story.do(chargeback("lost", 70_000, number="second"))
    assert story.transaction.charged_back_minor == 140_000
    assert (story.balance(A.LOSSES), story.balance(A.BALANCE)) == (40_000, -140_000)
    assert story.transaction.is_flat


def paid_in_naira(*, returning: bool = False) -> Story:
    """A sale is over, and the buyer has sent something in another currency besides."""
    story = completed(pending())
    story.do(naira(story))
    if returning:
        story.do(ReturnReceipts())
    return story


def naira(story: Story) -> RecordCharge:
    return charge(story, 30_000, currency=Currency.NGN, processor_id="charge-ngn")


def of_naira(story: Story, outcome: str, amount_minor: int = 30_000, currency: str | None = "NGN") -> RecordChargeback:
    report = chargeback(outcome, amount_minor, of=naira(story)).report
    return RecordChargeback(report=replace(report, currency=currency))


def in_naira(story: Story, account: Account) -> int:
    return story.books.totals["NGN"][account.value]


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_stray_money_in_another_currency_waits_while_it_is_disputed(outcome: str):
    story = paid_in_naira()
    assert story.do(of_naira(story, "open")) == ["foreign_chargeback_seen"]
    story.ignores(of_naira(story, "open"))
    story.ignores(ReturnReceipts())
    assert story.transaction.stuck_reason == "chargeback_open: in another currency"
    events = story.do(of_naira(story, outcome))
    if outcome == "won":
        assert events == ["foreign_chargeback_seen"]
        assert story.do(ReturnReceipts()) == ["receipt_return_ordered"]
    else:
        assert events == ["stray_chargeback_lost"]
        story.ignores(ReturnReceipts())
        assert story.transaction.is_over
    assert in_naira(story, A.UNMATCHED_RECEIPTS) == in_naira(story, A.LOSSES) == 0
    for again in ("open", outcome):
        story.ignores(of_naira(story, again))


@pytest.mark.parametrize("is_open", [True, False])
def test_a_return_in_another_currency_that_was_not_sent_is_stopped_and_taken(is_open: bool):
    story = paid_in_naira(returning=True)
    (back,) = story.transaction.refunds.values()
    if is_open:
        story.do(of_naira(story, "open"))
        assert story.transaction.is_disputed(back)
    assert story.do(of_naira(story, "lost")) == ["stray_chargeback_lost"]
    assert story.transaction.refunds[back.reference].status.value == "cancelled"
    assert in_naira(story, A.REFUND_DUE) == in_naira(story, A.LOSSES) == 0
    assert story.do(refunded(back.reference, "processed"))[0] == "cancelled_refund_sent"
    assert (in_naira(story, A.LOSSES), in_naira(story, A.REFUND_DUE)) == (30_000, 0)
    assert story.balance(A.LOSSES) == 0


def test_a_return_in_another_currency_that_failed_is_taken_and_waits_for_nobody():
    story = paid_in_naira(returning=True)
    story.do(refunded(story.refund(), "failed"))
    story.do(of_naira(story, "lost"))
    assert in_naira(story, A.REFUND_DUE) == in_naira(story, A.LOSSES) == 0
    assert story.transaction.stuck_reason is None
    assert "failed_refund_sent" in story.do(refunded(story.refund(), "processed"))
    assert (in_naira(story, A.LOSSES), in_naira(story, A.REFUND_DUE)) == (30_000, 0)


def test_what_the_bank_did_not_take_of_a_return_that_it_stopped_is_for_a_person():
    story = paid_in_naira(returning=True)
    story.do(of_naira(story, "lost", 10_000))
    assert (in_naira(story, A.REFUND_DUE), in_naira(story, A.LOSSES)) == (-20_000, 0)
    assert story.transaction.stuck_reason == "refund_cancelled: in another currency"


def test_one_on_its_way_that_comes_to_nothing_is_owed_to_nobody_in_any_currency():
    story = paid_in_naira(returning=True)
    story.do(refunded(story.refund(), "uncertain"))
    story.do(of_naira(story, "lost"))
    assert in_naira(story, A.LOSSES) == 30_000
    assert "chargeback_refund_failed" in story.do(refunded(story.refund(), "refused"))
    assert in_naira(story, A.REFUND_DUE) == in_naira(story, A.LOSSES) == 0


def test_what_has_gone_back_in_another_currency_and_is_taken_back_too_is_our_loss_in_it():
    story = paid_in_naira(returning=True)
    story.do(refunded(story.refund(), "processed"))
    story.do(of_naira(story, "lost"))
    assert (in_naira(story, A.LOSSES), story.balance(A.LOSSES)) == (30_000, 0)


def test_what_the_bank_did_not_take_of_it_goes_back():
    story = paid_in_naira()
    story.do(of_naira(story, "open", 10_000))
    story.do(of_naira(story, "lost", 10_000))
    assert story.do(ReturnReceipts()) == ["receipt_return_ordered"]
    assert story.last("receipt_return_ordered").amount_minor == 20_000


def test_its_charge_may_be_named_later_and_is_recorded_once():
    story = paid_in_naira()
    unnamed = RecordChargeback(report=replace(of_naira(story, "open").report, charge_id=None))
    for report, events in (
        (unnamed, ["foreign_chargeback_seen"]),
        (of_naira(story, "open"), ["foreign_chargeback_seen"]),
    ):
        assert story.do(report) == events
    for report in (unnamed, of_naira(story, "open"), ReturnReceipts()):
        story.ignores(report)
    assert story.do(
        RecordChargeback(report=replace(unnamed.report, outcome=of_naira(story, "lost").report.outcome))
    ) == ["stray_chargeback_lost"]


def test_a_chargeback_that_leaves_its_currency_out_is_in_that_of_its_charge():
    story = paid_in_naira()
    assert story.do(of_naira(story, "open", currency=None)) == ["foreign_chargeback_seen"]
    assert story.do(of_naira(story, "lost", currency=None)) == ["stray_chargeback_lost"]
    assert story.balance(A.LOSSES) == in_naira(story, A.LOSSES) == 0


def test_a_disputed_return_in_another_currency_holds_up_no_transfer_in_the_own():
    story = paid_in_naira()
    story.do(charge(story, 50_000, processor_id="charge-2"))
    story.do(ReturnReceipts())
    for reference in story.transaction.refunds:
        story.do(refunded(reference, "failed"))
    story.do(of_naira(story, "open"))
    assert story.do(pay_out(PayoutPurpose.REFUND)) == ["payout_requested"]
