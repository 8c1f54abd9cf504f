"""The payment: asked for once, held once; whatever else comes is set aside and goes back."""

from itertools import permutations

import pytest

from domain.journal import Account
from domain.money import Currency
from domain.transaction.commands import RequestPayment
from domain.transaction.opening import AlreadyEnded, MoneyReceived
from domain.transaction.payment import AlreadyPaid, PaymentOverdue, UnknownReference
from domain.transaction.records import PayoutPurpose
from domain.transaction.system_commands import EnforceDeadline, RecordPaymentLink, RecordPaymentRefused, ReturnReceipts
from tests.domain.paths import (
    asked,
    cancel,
    charge,
    chargeback,
    completed,
    expired,
    funded,
    pay_out,
    pending,
    refunded,
    releasing,
    signed,
    transfer,
)
from tests.domain.people import BUYER
from tests.domain.story import Story

PRICE = 100_000


def test_asking_again_uses_the_page_that_is_open():
    story = asked(pending())
    story.ignores(RequestPayment(), BUYER)


def test_a_refused_page_is_asked_for_anew_under_a_new_reference():
    story = pending()
    story.do(RequestPayment(), BUYER)
    first = story.transaction.payment_reference
    story.do(RecordPaymentRefused(reference=first, reason="invalid e-mail"))
    story.do(RequestPayment(), BUYER)
    assert story.transaction.payment_reference != first
    assert story.transaction.payment_attempts == 2


def test_a_link_is_recorded_once_and_only_for_the_reference_asked_for():
    story = asked(pending())
    reference = story.transaction.payment_reference
    story.ignores(RecordPaymentLink(reference=reference, authorization_url_sha256="f"))
    story.ignores(RecordPaymentRefused(reference=reference, reason="too late"))
    other = pending()
    other.do(RequestPayment(), BUYER)
    other.refuses(UnknownReference, RecordPaymentLink(reference="ch-other", authorization_url_sha256="f"))


def test_nobody_pays_after_the_deadline_after_paying_or_after_the_end():
    story = pending().wait(hours=24)
    story.refuses(PaymentOverdue, RequestPayment(), BUYER)
    funded(paid := pending())
    paid.refuses(AlreadyPaid, RequestPayment(), BUYER)
    ended = expired(pending())
    ended.refuses(AlreadyEnded, RequestPayment(), BUYER)


def test_the_exact_price_is_held():
    story = asked(pending())
    assert story.do(charge(story)) == ["payment_received", "funds_held", "payment_fee_assessed"]
    assert story.transaction.held_minor == PRICE


def test_the_same_charge_reported_again_changes_nothing():
    story = funded(pending())
    story.ignores(charge(story))


def test_a_fee_that_is_known_later_is_assessed_once():
    story = asked(pending())
    assert "payment_fee_assessed" not in story.do(charge(story, fee_minor=None))
    assert story.do(charge(story)) == ["payment_fee_assessed"]
    story.ignores(charge(story, fee_minor=1))


def test_a_charge_nobody_asked_for_is_refused():
    story = asked(pending())
    other = charge(story)
    wrong = type(other)(charge=type(other.charge)(**{**_fields(other.charge), "reference": "ch-other"}))
    story.refuses(UnknownReference, wrong)


def _fields(charge: object) -> dict:
    return {name: getattr(charge, name) for name in charge.__dataclass_fields__}


def test_a_payment_before_the_clock_acted_counts_also_after_the_deadline():
    story = asked(pending()).wait(hours=30)
    assert "funds_held" in story.do(charge(story))


def test_the_customer_may_bear_the_fee():
    story = asked(pending())
    story.do(charge(story, PRICE + 1_500, requested_minor=PRICE))
    assert story.transaction.held_minor == PRICE
    assert story.balance(Account.FEE_SURCHARGE) == -1_500


@pytest.mark.parametrize("fee", [None, 1_500])
def test_a_surplus_that_is_no_fee_goes_back_to_the_buyer(fee: int | None):
    """The processor names what was asked for also when the payer simply sent more."""
    story = asked(pending())
    story.do(charge(story, PRICE + 50_000, requested_minor=PRICE, fee_minor=fee))
    assert story.transaction.held_minor == PRICE
    assert story.balance(Account.FEE_SURCHARGE) == 0
    assert story.last("payment_mismatched").kind == "over"
    assert story.balance(Account.UNMATCHED_RECEIPTS) == -50_000


@pytest.mark.parametrize(
    ("kind", "amount", "suspense"),
    [("under", PRICE - 1, PRICE - 1), ("over", PRICE + 1, 1), ("over", 2 * PRICE, PRICE)],
)
def test_what_does_not_fit_waits_in_suspense_and_goes_back(kind: str, amount: int, suspense: int):
    story = asked(pending())
    story.do(charge(story, amount))
    assert story.last("payment_mismatched").kind == kind
    assert story.balance(Account.UNMATCHED_RECEIPTS) == -suspense
    assert story.transaction.stuck_reason == "receipts_in_suspense"
    story.ignores(charge(story, amount, fee_minor=None))
    assert story.do(ReturnReceipts()) == ["receipt_return_ordered"]
    story.ignores(ReturnReceipts())
    story.do(refunded(story.refund(), "processed"))
    assert story.balance(Account.UNMATCHED_RECEIPTS) == story.balance(Account.REFUND_DUE) == 0
    assert story.transaction.held_minor == (PRICE if kind == "over" else 0)


def test_after_an_under_payment_the_buyer_can_still_pay_the_price():
    story = asked(pending())
    story.do(charge(story, 1))
    story.do(charge(story, processor_id="charge-2"))
    assert story.phase == "funds_held"


@pytest.mark.parametrize("fee", [None, 1_500])
def test_a_page_on_which_too_little_was_paid_is_used_up_and_the_next_has_its_own_reference(fee: int | None):
    story = asked(pending())
    first = story.transaction.payment_reference
    story.do(charge(story, 1, fee_minor=fee))
    for _ in range(2):
        story.do(RequestPayment(), BUYER)
        assert story.transaction.payment_reference != first
        assert story.transaction.payment_attempts == 2
        story.do(ReturnReceipts())


def test_a_second_charge_is_a_duplicate_and_the_first_stays():
    story = funded(pending())
    story.do(charge(story, processor_id="charge-2"))
    assert story.last("payment_mismatched").kind == "duplicate"
    assert story.transaction.received_minor == PRICE


def test_a_charge_after_the_end_is_late_and_goes_back():
    story = expired(pending())
    story.do(charge(story))
    assert story.last("payment_mismatched").kind == "late"
    story.do(ReturnReceipts())
    story.do(refunded(story.refund(), "processed"))
    assert story.phase == "expired"
    assert story.transaction.is_over


def test_a_charge_after_completion_is_a_duplicate_and_goes_back():
    story = completed(pending())
    story.do(charge(story, processor_id="charge-2"))
    story.do(ReturnReceipts())
    story.do(refunded(story.refund(), "processed"))
    assert story.phase == "completed"


def test_a_charge_after_a_chargeback_is_a_duplicate_never_a_second_funding():
    story = signed(pending())
    story.do(chargeback("lost"))
    assert "payment_received" not in story.do(charge(story, processor_id="charge-2"))
    assert story.last("payment_mismatched").kind == "duplicate"


def test_after_a_chargeback_nobody_pays_cancels_or_expires_it():
    story = releasing(pending())
    story.do(chargeback("lost"))
    story.refuses(AlreadyPaid, RequestPayment(), BUYER)
    story.refuses(MoneyReceived, cancel(), BUYER)


def test_a_foreign_currency_waits_in_suspense_and_goes_back_in_it():
    story = asked(pending())
    story.do(charge(story, currency=Currency.NGN, processor_id="charge-ngn"))
    assert story.last("payment_mismatched").kind == "currency"
    assert story.transaction.stuck_reason == "receipts_in_suspense"
    assert story.transaction.balances[Account.UNMATCHED_RECEIPTS] == 0
    assert story.do(ReturnReceipts()) == ["receipt_return_ordered"]
    story.do(refunded(story.refund(), "failed"))
    assert story.books.totals["NGN"][Account.REFUND_DUE.value] == -PRICE
    assert story.transaction.stuck_reason is not None


def test_a_foreign_receipt_never_changes_what_is_payable_in_the_currency_of_the_price():
    story = releasing(pending())
    story.do(charge(story, currency=Currency.NGN, processor_id="charge-ngn"))
    story.do(ReturnReceipts())
    story.do(refunded(story.refund(), "processed"))
    story.do(pay_out())
    story.do(transfer(story.payout(), "success"))
    assert story.phase == "completed"
    assert story.books.totals["NGN"][Account.REFUND_DUE.value] == 0


def test_a_transfer_pays_no_return_in_another_currency_that_failed():
    story = funded(pending())
    for number, currency in (("charge-2", Currency.KES), ("charge-ngn", Currency.NGN)):
        story.do(charge(story, currency=currency, processor_id=number))
    story.do(ReturnReceipts())
    own, foreign = story.transaction.refunds
    for reference in (own, foreign):
        story.do(refunded(reference, "failed"))
    story.do(pay_out(PayoutPurpose.REFUND))
    assert story.transaction.refunds[own].paid_by == story.payout()
    assert story.transaction.refunds[foreign].paid_by is None


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_charges_in_any_order_hold_the_price_once(order: tuple[int, ...]):
    story = asked(pending())
    reports = [
        charge(story, processor_id="charge-1"),
        charge(story, 40, processor_id="charge-2"),
        charge(story, processor_id="charge-3"),
    ]
    for index in (*order, *order):
        story.do(reports[index])
    assert story.transaction.held_minor == PRICE
    assert story.balance(Account.UNMATCHED_RECEIPTS) == -PRICE - 40


def test_a_chargeback_known_before_its_charge_is_booked_when_the_charge_comes():
    in_order, reversed_order = asked(pending()), asked(pending())
    in_order.do(charge(in_order))
    in_order.do(chargeback("lost"))
    for report in (chargeback("lost"), charge(reversed_order), chargeback("lost")):
        reversed_order.do(report)
    assert in_order.balances() == reversed_order.balances()
    assert reversed_order.phase == "charged_back"
    assert reversed_order.transaction.is_over


@pytest.mark.parametrize("is_named", [True, False])
def test_a_late_charge_that_was_charged_back_already_does_not_go_back_twice(is_named: bool):
    story = expired(pending())
    late = charge(story)
    for report in (chargeback("lost", of=late if is_named else None), late) * 2:
        story.do(report)
    assert story.phase == "expired"
    story.ignores(ReturnReceipts())
    assert story.balance(Account.LOSSES) == story.balance(Account.UNMATCHED_RECEIPTS) == 0


def test_a_late_charge_that_is_charged_back_from_suspense_does_not_go_back_twice():
    story: Story = expired(pending())
    story.do(charge(story))
    story.do(chargeback("lost"))
    story.ignores(ReturnReceipts())
    assert story.balance(Account.LOSSES) == story.balance(Account.UNMATCHED_RECEIPTS) == 0


def test_a_part_of_a_late_charge_that_was_charged_back_is_covered_and_the_rest_goes_back():
    story = expired(pending())
    for report in (chargeback("lost", 40_000), charge(story)) * 2:
        story.do(report)
    assert story.balance(Account.UNMATCHED_RECEIPTS) == -60_000
    assert story.do(ReturnReceipts()) == ["receipt_return_ordered"]
    assert story.balance(Account.REFUND_DUE) == -60_000


def test_a_stray_charge_that_is_charged_back_leaves_the_price_to_be_paid():
    story = asked(pending())
    story.do(charge(story, 50_000, processor_id="stray"))
    story.do(chargeback("lost", 30_000))
    assert story.phase == "pending"
    story.do(charge(story))
    assert story.phase == "funds_held"
    assert story.transaction.refundable_minor == 100_000


def test_a_payment_under_an_earlier_reference_is_refunded_against_that_charge():
    story = pending()
    story.do(RequestPayment(), BUYER)
    first = charge(story)
    story.do(RecordPaymentRefused(reference=first.charge.reference, reason="timeout, taken for a refusal"))
    asked(story)
    story.do(first)
    story.wait(hours=72).do(EnforceDeadline())
    assert story.last("refund_ordered").charge_reference == first.charge.reference


def test_the_fee_of_a_charge_that_goes_back_is_on_the_books_too():
    story = expired(pending())
    assert story.do(charge(story)) == ["payment_mismatched", "payment_fee_assessed"]
    story.ignores(charge(story))
    assert story.balance(Account.CHARGE_FEE) == 1_500
    assert story.balance(Account.UNCLEARED) == 98_500
    assert story.transaction.charge_fee_minor is None


def test_the_fee_of_a_stray_charge_that_is_known_later_is_assessed_once():
    story = expired(pending())
    story.do(charge(story, fee_minor=None))
    assert story.do(charge(story)) == ["payment_fee_assessed"]
    story.ignores(charge(story))


def test_the_fee_of_a_foreign_charge_is_in_its_currency():
    story = asked(pending())
    story.do(charge(story, currency=Currency.NGN))
    assert story.books.totals["NGN"][Account.CHARGE_FEE.value] == 1_500
    assert story.balance(Account.CHARGE_FEE) == 0


def test_the_fee_of_the_charge_that_paid_is_not_booked_under_another_reference():
    """The processor names it with the reference of an earlier attempt, again and again, while its fee is not known."""
    story = pending()
    story.do(RequestPayment(), BUYER)
    first = charge(story)
    story.do(RecordPaymentRefused(reference=first.charge.reference, reason="timeout, taken for a refusal"))
    asked(story)
    story.do(charge(story, fee_minor=None))
    for _ in range(2):
        story.ignores(first)
    assert story.do(charge(story)) == ["payment_fee_assessed"]
    assert (story.balance(Account.CHARGE_FEE), story.transaction.charge_fee_minor) == (1_500, 1_500)
    story.ignores(first)
