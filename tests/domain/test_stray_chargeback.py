"""Chargebacks of money that was never the price: the sale and its own money stay as they are."""

from itertools import permutations

import pytest

from domain.event import Context
from domain.journal import Account
from domain.transaction.payment import ConfirmedCharge
from domain.transaction.records import PayoutPurpose
from domain.transaction.system_commands import EnforceDeadline, RecordCharge, RequestPayout, ReturnReceipts
from tests.domain.golden_files import GOLDEN, events_of
from tests.domain.paths import asked, charge, chargeback, completed, confirm, pending, refunded, revealed, transfer
from tests.domain.people import BUYER, SYSTEM
from tests.domain.story import TRANSACTION_ID, Story, fold

A = Account
UNHEARD = ["dispute_opened", "chargeback_charge_named", "dispute_escalated"]
"""What is recorded of a chargeback that was lost of a payment that nobody has heard of."""


def paid_twice(story: Story) -> RecordCharge:
    """The price was paid once more; the second payment waits for its return."""
    second = charge(story, 100_000, processor_id="charge-2")
    story.do(second)
    return second


@pytest.mark.parametrize("path", [revealed, completed])
def test_a_second_payment_that_is_taken_back_leaves_the_sale_as_it_was(path):
    story = path(pending())
    phase = story.phase
    second = paid_twice(story)
    held, receivable = story.transaction.held_minor, story.transaction.receivable_minor
    assert story.do(chargeback("lost", of=second)) == ["dispute_opened", "stray_chargeback_lost", "dispute_resolved"]
    assert (story.phase, story.transaction.held_minor) == (phase, held)
    assert story.transaction.receivable_minor == receivable
    assert story.balance(A.UNMATCHED_RECEIPTS) == story.balance(A.LOSSES) == 0
    story.ignores(ReturnReceipts())


def test_the_sale_goes_on_after_its_second_payment_was_taken_back():
    story = revealed(pending())
    story.do(chargeback("lost", of=paid_twice(story)))
    assert "release_ordered" in story.do(confirm(), BUYER)


def test_a_return_that_was_not_sent_is_cancelled_by_the_chargeback():
    story = revealed(pending())
    second = paid_twice(story)
    story.do(ReturnReceipts())
    assert "stray_chargeback_lost" in story.do(chargeback("lost", of=second))
    assert story.transaction.refunds[story.refund()].status.value == "cancelled"
    assert story.balance(A.REFUND_DUE) == story.balance(A.LOSSES) == 0
    assert story.transaction.held_minor == 100_000
    assert story.transaction.refundable_minor == 100_000


def test_a_cancelled_return_that_was_sent_all_the_same_is_our_loss():
    story = revealed(pending())
    second = paid_twice(story)
    story.do(ReturnReceipts())
    story.do(chargeback("lost", of=second))
    assert story.do(refunded(story.refund(), "processed"))[0] == "cancelled_refund_sent"
    assert story.balance(A.LOSSES) == 100_000
    assert (story.transaction.held_minor, story.transaction.refundable_minor) == (100_000, 100_000)


def test_a_return_that_had_failed_is_taken_by_the_chargeback_and_is_owed_no_more():
    story = revealed(pending())
    second = paid_twice(story)
    story.do(ReturnReceipts())
    story.do(refunded(story.refund(), "failed"))
    story.do(chargeback("lost", of=second))
    assert story.transaction.refunds[story.refund()].status.value == "failed"
    assert story.balance(A.REFUND_DUE) == story.balance(A.LOSSES) == 0
    assert story.transaction.held_minor == 100_000


def test_what_has_gone_back_already_and_is_taken_back_too_is_our_loss():
    story = revealed(pending())
    second = paid_twice(story)
    story.do(ReturnReceipts())
    story.do(refunded(story.refund(), "processed"))
    story.do(chargeback("lost", of=second))
    assert story.balance(A.LOSSES) == 100_000
    assert story.transaction.held_minor == 100_000


def test_of_a_payment_that_was_too_much_the_price_is_taken_from_the_sale_and_the_rest_from_what_waits():
    story = asked(pending())
    payment = charge(story, 130_000)
    story.do(payment)
    story.do(chargeback("lost", 130_000, of=payment))
    assert story.phase == "charged_back"
    assert story.balance(A.HELD) == story.balance(A.UNMATCHED_RECEIPTS) == story.balance(A.LOSSES) == 0


def test_of_a_payment_that_was_too_much_a_part_up_to_the_price_is_taken_from_the_sale():
    story = asked(pending())
    payment = charge(story, 130_000)
    story.do(payment)
    story.do(chargeback("lost", 20_000, of=payment))
    assert (story.transaction.held_minor, story.balance(A.UNMATCHED_RECEIPTS)) == (80_000, -30_000)


@pytest.mark.parametrize("amounts", list(permutations((20_000, 60_000, 50_000))))
def test_of_a_payment_that_was_too_much_parts_are_taken_from_the_sale_first_and_never_from_us(amounts):
    story = asked(pending())
    payment = charge(story, 130_000)
    story.do(payment)
    for number, amount in enumerate(amounts):
        story.do(chargeback("lost", amount, number=f"part-{number}", of=payment))
    assert story.balance(A.HELD) == story.balance(A.UNMATCHED_RECEIPTS) == story.balance(A.LOSSES) == 0


@pytest.mark.parametrize("end", ["pending", "processed"])
@pytest.mark.parametrize("amounts", list(permutations((10_000, 20_000))))
def test_once_the_price_has_gone_back_a_chargeback_takes_what_waits(amounts, end):
    """The price went back, and the surplus waits: in suspense, or because its return failed."""
    for is_ordered in (False, True):
        story = asked(pending())
        payment = charge(story, 130_000)
        story.do(payment)
        if is_ordered:
            story.do(ReturnReceipts())
            story.do(refunded(story.refund(), "failed"))
        story.wait(hours=73)
        story.do(EnforceDeadline())
        story.do(refunded(story.refund(), end))
        for number, amount in enumerate(amounts):
            story.do(chargeback("lost", amount, number=f"part-{number}", of=payment))
        assert story.balance(A.UNMATCHED_RECEIPTS) == story.balance(A.LOSSES) == 0
        assert story.balance(A.REFUND_DUE) == (0 if end == "processed" else -100_000)


def test_what_a_transfer_has_given_back_of_the_price_is_not_taken_as_the_price_once_more():
    story = asked(pending())
    payment = charge(story, 130_000)
    story.do(payment)
    story.wait(hours=73)
    story.do(EnforceDeadline())
    story.do(refunded(story.refund(), "failed"))
    story.do(RequestPayout(purpose=PayoutPurpose.REFUND, recipient="RCP_buyer"))
    story.do(transfer(story.payout(), "success"))
    story.do(chargeback("lost", 30_000, of=payment))
    assert story.balance(A.UNMATCHED_RECEIPTS) == story.balance(A.LOSSES) == 0


def test_the_second_payment_may_become_known_after_its_chargeback():
    story = revealed(pending())
    second = charge(story, 100_000, processor_id="charge-2")
    story.do(chargeback("lost", of=second))
    assert (story.transaction.held_minor, story.balance(A.LOSSES)) == (100_000, 100_000)
    assert "stray_chargeback_covered" in story.do(second)
    assert story.balance(A.LOSSES) == story.balance(A.UNMATCHED_RECEIPTS) == 0
    story.ignores(ReturnReceipts())
    story.ignores(second)


def test_the_payment_of_the_price_is_still_taken_from_the_sale():
    story = revealed(pending())
    paid_twice(story)
    first = ConfirmedCharge(
        reference=story.transaction.payment_reference or "",
        processor_id=story.transaction.processor_charge_id or "",
        amount_minor=100_000,
        requested_minor=None,
        currency=story.transaction.price.currency,
        fee_minor=None,
        channel="card",
        paid_at=story.now,
        verified_by="poll",
    )
    story.do(chargeback("lost", of=RecordCharge(charge=first)))
    assert story.phase == "charged_back"
    assert story.balance(A.UNMATCHED_RECEIPTS) == -100_000


def test_two_chargebacks_of_a_payment_that_nobody_has_heard_of_are_both_covered_when_it_comes():
    story = revealed(pending())
    second = charge(story, 100_000, processor_id="charge-2")
    for number in ("dispute-1", "dispute-2"):
        story.do(chargeback("lost", 50_000, number=number, of=second))
    story.do(second)
    assert story.balance(A.LOSSES) == story.balance(A.UNMATCHED_RECEIPTS) == 0


def test_a_chargeback_of_a_payment_that_nobody_has_heard_of_waits_for_it_and_ends_nothing():
    story = asked(pending())
    half = charge(story, 50_000, processor_id="charge-2")
    assert story.do(chargeback("lost", 50_000, of=half)) == UNHEARD
    assert (story.phase, story.transaction.is_over, story.balances()) == ("disputed", False, {})
    story.ignores(chargeback("lost", 50_000, of=half))
    story.do(half)
    assert story.do(chargeback("lost", 50_000, of=half)) == ["stray_chargeback_lost", "dispute_resolved"]
    assert story.phase == "pending"
    assert story.balance(A.UNMATCHED_RECEIPTS) == story.balance(A.LOSSES) == 0


def test_a_chargeback_of_a_payment_that_nobody_hears_of_does_not_keep_an_unpaid_sale_from_its_end():
    story = asked(pending())
    payment = charge(story)
    assert story.do(chargeback("lost", of=payment)) == UNHEARD
    story.wait(hours=24)
    assert (story.do(EnforceDeadline()), story.phase) == (["expired"], "expired")
    for report in (payment, chargeback("lost", of=payment)):
        story.do(report)
    assert (story.phase, story.transaction.is_over, story.balance(A.LOSSES)) == ("expired", True, 0)


def test_another_payment_does_not_pay_for_the_one_that_nobody_has_heard_of():
    story = asked(pending())
    story.do(charge(story, 50_000, processor_id="charge-2"))
    events = story.do(chargeback("lost", of=charge(story, processor_id="charge-3")))
    assert events == UNHEARD
    assert story.balance(A.UNMATCHED_RECEIPTS) == -50_000


@pytest.mark.parametrize("was_open", [True, False])
def test_one_that_was_lost_of_a_payment_that_nobody_has_heard_of_is_a_persons_at_once_and_says_so(was_open: bool):
    """Nothing can be answered any more, so the clock has nothing to say of it."""
    story = asked(pending())
    payment = charge(story)
    if was_open:
        story.do(chargeback("open", of=payment))
    assert story.do(chargeback("lost", of=payment))[-1] == "dispute_escalated"
    assert story.last("dispute_escalated").reason == "lost, of a payment that is not recorded here"
    assert story.transaction.next_deadline.kind == "payment"
    story.ignores(chargeback("lost", of=payment))


def test_a_payment_that_is_heard_of_only_after_it_was_taken_back_was_the_price_all_the_same():
    story = asked(pending())
    price = charge(story)
    story.do(chargeback("lost", of=price))
    story.do(price)
    assert story.do(chargeback("lost", of=price)) == ["chargeback_lost", "dispute_resolved"]
    assert (story.phase, story.transaction.held_minor, story.balance(A.LOSSES)) == ("charged_back", 0, 0)


def test_what_older_logs_have_as_taken_back_before_it_came_is_covered_when_it_comes():
    """Such a loss was booked at once until 2026-11."""
    recorded = events_of(GOLDEN / "taken_back_early.jsonl")
    covered = [event.TOPIC for event in recorded].index("transaction.payment_received.v1")
    early = fold(recorded[:covered], TRANSACTION_ID)
    assert early.uncovered_chargeback_minor == 100_000
    context = Context(
        at=recorded[-1].timestamp, actor=SYSTEM, command_id="9", request_digest="9", request_id="in the end"
    )
    story = asked(pending())
    with early.acting(context):
        charge(story).decide(early)
    assert [event.TOPIC for event in early.collect_events()][-1] == "transaction.chargeback_covered.v1"
    assert (early.uncovered_chargeback_minor, early.held_minor, early.balances[A.LOSSES]) == (0, 0, 0)
