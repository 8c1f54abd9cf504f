"""Payouts: one transfer at a time for the same money, and reports that come in any order, often or late."""

from datetime import timedelta
from itertools import permutations

import pytest

from domain.journal import Account
from domain.policy import MAX_PAYOUT_ATTEMPTS, PAYOUT_RETRY_AFTER, Terms
from domain.transaction.cooling import PayoutAccountCoolingOff
from domain.transaction.force import NotStuck, RecipientMissing
from domain.transaction.payment import UnknownReference
from domain.transaction.payout import NothingPayable, PayoutAttemptsExhausted, PayoutRetryTooEarly
from domain.transaction.records import PayoutPurpose, PayoutStatus
from domain.transaction.state import DisputeOpen
from domain.transaction.system_commands import DistrustAccount, EnforceDeadline, ReturnReceipts, WaitForAccount
from domain.user import AccountDoubt
from tests.domain.paths import (
    TRANSFER_FEE,
    asked,
    charge,
    chargeback,
    compensating,
    completed,
    dispute,
    funded,
    pay_out,
    paying,
    payout_failed,
    pending,
    refunded,
    refunding,
    release,
    releasing,
    transfer,
)
from tests.domain.people import BUYER, SUPER
from tests.domain.story import Story

HISTORIES = {
    "paid": ["pending", "received", "otp", "success"],
    "paid, then taken back": ["pending", "otp", "success", "reversed"],
    "failed": ["pending", "otp", "failed"],
    "abandoned": ["pending", "otp", "abandoned"],
    "blocked": ["pending", "blocked"],
    "rejected": ["pending", "rejected"],
    "never accepted": ["uncertain", "refused"],
    "uncertain, then paid": ["uncertain", "pending", "success"],
    "not covered, then paid": ["not_covered", "uncertain", "pending", "success"],
    "not covered, then refused": ["not_covered", "refused"],
}


def outcome(story: Story) -> tuple:
    """What must not depend on the order of the reports."""
    payouts = [(p.status, p.fee_minor, p.accepted, p.amount_minor) for p in story.transaction.payouts.values()]
    return story.phase, payouts, story.balances()


def report(story: Story, status: str) -> None:
    """A report as a GET gives it: the fee stands in what is said of a success."""
    story.do(transfer(story.payout(), status, TRANSFER_FEE if status == "success" else None))


@pytest.mark.parametrize("name", HISTORIES)
def test_reports_in_any_order_and_repeated_lead_to_the_same_state(name: str):
    outcomes = set()
    for order in permutations(HISTORIES[name]):
        story = paying(pending())
        for status in (*order, *order, order[0]):
            report(story, status)
        outcomes.add(repr(outcome(story)))
    assert len(outcomes) == 1


def test_nothing_is_asked_for_twice():
    story = paying(pending())
    story.refuses(NothingPayable, pay_out())
    report(story, "pending")
    story.refuses(NothingPayable, pay_out())
    report(story, "success")
    story.refuses(NothingPayable, pay_out())


def test_an_uncertain_payout_is_not_repeated_under_a_new_reference():
    story = paying(pending())
    report(story, "uncertain")
    story.refuses(NothingPayable, pay_out())
    assert story.transaction.stuck_reason == "payout_uncertain"


def test_a_balance_that_is_too_low_is_said_when_it_begins_and_until_the_transfer_goes_through():
    story = paying(pending())
    for _ in range(2):
        assert story.do(transfer(story.payout(), "not_covered")) == ["payout_waits_for_balance"]
        assert story.do(transfer(story.payout(), "not_covered")) == []
        assert story.transaction.stuck_reason == "payout_waiting_for_balance: 90000 KES"
        assert story.do(transfer(story.payout(), "uncertain")) == ["payout_uncertain"]
        assert story.do(transfer(story.payout(), "uncertain")) == []
        assert story.transaction.stuck_reason == "payout_uncertain"
    story.do(transfer(story.payout(), "not_covered"))
    report(story, "pending")
    assert story.transaction.stuck_reason == "payout_submitted"
    assert story.do(transfer(story.payout(), "not_covered")) == [], "what is said late is no news"
    report(story, "success")
    assert story.transaction.stuck_reason is None


def test_a_balance_that_is_too_low_does_not_void_what_waits_for_a_second_pair_of_eyes():
    story = paying(pending())
    before = story.transaction.voided_at_version
    story.do(transfer(story.payout(), "not_covered"))
    assert story.transaction.voided_at_version == before


def test_each_attempt_has_its_own_reference_derived_from_purpose_and_number():
    story = payout_failed(pending())
    story.do(pay_out())
    first, second = story.transaction.payouts
    assert first != second
    again = payout_failed(pending())
    again.do(pay_out())
    assert [first, second] == list(again.transaction.payouts)


def test_the_program_gives_up_after_five_attempts_and_a_super_admin_may_go_on():
    story = releasing(pending())
    for _ in range(MAX_PAYOUT_ATTEMPTS):
        story.do(pay_out())
        report(story, "refused")
    story.refuses(PayoutAttemptsExhausted, pay_out())
    assert "payout_requested" in story.do(release("RCP_corrected", PayoutPurpose.SELLER), SUPER)
    assert story.transaction.payouts[story.payout()].recipient == "RCP_corrected"


def test_only_the_attempts_since_the_last_one_that_was_paid_are_counted():
    story = releasing(pending(terms=Terms(reserve_bps=900, warranty_seconds=86_400)))
    for pause in PAYOUT_RETRY_AFTER:
        story.do(pay_out())
        report(story, "failed")
        story.wait(seconds=pause.total_seconds())
    story.do(pay_out())
    report(story, "success")
    story.wait(days=1).do(EnforceDeadline())
    assert story.transaction.stuck_reason == "awaiting_payout_request"
    for pause in PAYOUT_RETRY_AFTER:
        assert "payout_requested" in story.do(pay_out())
        assert "payout_retry_scheduled" in story.do(transfer(story.payout(), "failed"))
        story.wait(seconds=pause.total_seconds())
    story.do(pay_out())
    assert story.do(transfer(story.payout(), "failed"))[-1] == "payout_given_up"
    story.refuses(PayoutAttemptsExhausted, pay_out())


def test_what_waits_for_an_account_is_not_asked_for_before():
    story = releasing(pending())
    usable_at = story.now + timedelta(hours=24)
    story.do(WaitForAccount(purpose=PayoutPurpose.SELLER, usable_at=usable_at))
    story.wait(seconds=24 * 3600 - 1).refuses(PayoutAccountCoolingOff, pay_out())
    story.wait(seconds=1)
    assert "payout_requested" in story.do(pay_out())
    assert "payout_retry_scheduled" in story.do(transfer(story.payout(), "failed"))
    story.wait(seconds=PAYOUT_RETRY_AFTER[0].total_seconds())
    assert "payout_requested" in story.do(pay_out()), "the next attempt was not told to wait"


def test_a_transfer_that_failed_is_repeated_after_pauses_that_grow():
    story = releasing(pending())
    for pause in PAYOUT_RETRY_AFTER:
        story.do(pay_out())
        report(story, "failed")
        assert story.phase == "releasing"
        assert story.transaction.stuck_reason == "payout_retry_scheduled: failed"
        story.wait(seconds=pause.total_seconds() - 1).refuses(PayoutRetryTooEarly, pay_out())
        story.refuses(NotStuck, release("RCP_corrected", PayoutPurpose.SELLER), SUPER)
        story.wait(seconds=1)
    story.do(pay_out())
    assert "payout_given_up" in story.do(transfer(story.payout(), "failed"))
    assert story.phase == "payout_failed"
    story.refuses(PayoutAttemptsExhausted, pay_out())
    story.do(release("RCP_corrected", PayoutPurpose.SELLER), SUPER)
    assert "payout_given_up" in story.do(transfer(story.payout(), "blocked"))
    story.do(release(), SUPER)
    report(story, "success")
    assert story.phase == "completed"
    assert len(story.transaction.payouts) == 7


def test_a_refused_transfer_that_was_paid_after_all_completes_the_sale():
    story = payout_failed(pending())
    assert story.do(transfer(story.payout(), "success", TRANSFER_FEE)) == ["payout_paid_after_all"]
    assert story.phase == "completed"
    story.ignores(transfer(story.payout(), "success", TRANSFER_FEE))


def test_a_refused_transfer_that_was_paid_and_taken_back_costs_its_fee_once():
    story = payout_failed(pending())
    told = story.do(transfer(story.payout(), "reversed", TRANSFER_FEE))
    assert told == ["payout_reversal_seen", "payout_fee_assessed"]
    assert story.balance(Account.TRANSFER_FEE) == TRANSFER_FEE
    assert story.transaction.payable_minor(PayoutPurpose.SELLER) == 90_000
    for status in ("reversed", "success"):
        story.ignores(transfer(story.payout(), status, TRANSFER_FEE))


def test_a_refused_transfer_that_was_taken_back_is_not_paid_by_old_news_without_a_fee():
    story = payout_failed(pending())
    assert story.do(transfer(story.payout(), "reversed")) == ["payout_reversal_seen"]
    for status in ("reversed", "success"):
        story.ignores(transfer(story.payout(), status))
    assert story.transaction.payable_minor(PayoutPurpose.SELLER) == 90_000
    assert story.do(transfer(story.payout(), "success", TRANSFER_FEE)) == ["payout_fee_assessed"]


@pytest.mark.parametrize("second", ["requested", "pending", "success"])
def test_what_the_seller_has_twice_he_owes_back(second: str):
    story = payout_failed(pending())
    first = story.payout()
    story.do(pay_out())
    if second != "requested":
        report(story, second)
    story.do(transfer(first, "success", TRANSFER_FEE))
    assert story.transaction.receivable_minor == 90_000
    assert story.transaction.payable_minor(PayoutPurpose.SELLER) == 0


def test_what_the_buyer_has_twice_is_our_loss():
    story = compensating(pending())
    story.do(pay_out(PayoutPurpose.COMPENSATION))
    first = story.payout()
    report(story, "refused")
    story.do(pay_out(PayoutPurpose.COMPENSATION))
    report(story, "success")
    story.do(transfer(first, "success", TRANSFER_FEE))
    assert story.balance(Account.LOSSES) == 5_000


@pytest.mark.parametrize("end", ["failed", "success then reversed", "first reversed"])
def test_what_the_buyer_has_twice_is_not_owed_to_him_again_when_one_of_both_comes_back(end: str):
    story = refunding(pending())
    story.do(refunded(story.refund(), "failed"))
    story.do(pay_out(PayoutPurpose.REFUND))
    first = story.payout()
    for status in ("pending", "failed"):
        report(story, status)
    story.wait(minutes=1).do(pay_out(PayoutPurpose.REFUND))
    second = story.payout()
    report(story, "pending")
    story.do(transfer(first, "success"))
    assert story.balance(Account.LOSSES) == 100_000
    if end == "failed":
        story.do(transfer(second, "failed"))
    elif end == "first reversed":
        story.do(transfer(first, "reversed"))
        story.do(transfer(second, "success"))
    else:
        story.do(transfer(second, "success"))
        story.do(transfer(second, "reversed"))
    assert (story.balance(Account.LOSSES), story.balance(Account.REFUND_DUE)) == (0, 0)
    assert story.phase == "refunded"
    story.refuses(NothingPayable, pay_out(PayoutPurpose.REFUND))


def test_nothing_is_payable_before_the_release():
    story = funded(pending())
    for purpose in PayoutPurpose:
        story.refuses(NothingPayable, pay_out(purpose))


def test_a_dispute_freezes_the_sellers_payout():
    story = releasing(pending())
    story.do(dispute(), BUYER)
    story.refuses(DisputeOpen, pay_out())


def test_a_dispute_does_not_freeze_what_is_owed_to_the_buyer():
    story = compensating(pending())
    story.do(dispute(2), BUYER)
    story.do(pay_out(PayoutPurpose.COMPENSATION))


def test_a_refund_under_way_is_not_payable_by_transfer():
    story = refunding(pending())
    story.refuses(NothingPayable, pay_out(PayoutPurpose.REFUND))


def test_an_unknown_reference_is_refused():
    story = paying(pending())
    story.refuses(UnknownReference, transfer("po-other", "success"))


def test_a_fee_that_is_known_after_the_success_is_assessed_once():
    story = paying(pending())
    story.do(transfer(story.payout(), "success"))
    assert story.do(transfer(story.payout(), "success", TRANSFER_FEE)) == ["payout_fee_assessed"]
    story.ignores(transfer(story.payout(), "success", TRANSFER_FEE))
    assert story.balance(Account.TRANSFER_FEE) == TRANSFER_FEE


def test_a_reversal_makes_it_payable_again_and_completion_is_forgotten():
    story = completed(pending())
    report(story, "reversed")
    assert story.phase == "payout_failed"
    assert story.transaction.completed_at is None
    assert story.transaction.stuck_reason == "payout_reversed: reversed"
    story.wait(days=1).do(pay_out())
    report(story, "success")
    assert story.transaction.completed_at == story.now


def test_after_an_end_too_the_reason_is_that_of_the_last_attempt():
    story = asked(pending())
    story.wait(days=2).do(EnforceDeadline())
    story.do(charge(story))
    story.do(ReturnReceipts())
    story.do(refunded(next(iter(story.transaction.refunds)), "failed"))
    story.do(pay_out(PayoutPurpose.REFUND))
    report(story, "failed")
    assert story.transaction.stuck_reason == "payout_retry_scheduled: failed"
    story.wait(days=1).do(pay_out(PayoutPurpose.REFUND))
    report(story, "success")
    report(story, "reversed")
    assert story.phase == "expired"
    assert story.transaction.stuck_reason == "payout_reversed: reversed"


@pytest.mark.parametrize("ending", ["refused", "failed"])
def test_money_that_comes_back_to_a_debtor_settles_his_debt_first(ending: str):
    story = paying(pending())
    if ending == "failed":
        report(story, "pending")
    story.do(chargeback("lost"))
    assert story.transaction.receivable_minor == 90_000
    report(story, ending)
    assert story.transaction.receivable_minor == 0
    assert story.transaction.payable_minor(PayoutPurpose.SELLER) == 0
    assert story.transaction.is_over


def test_a_reversal_after_a_chargeback_settles_the_debt():
    story = completed(pending())
    story.do(chargeback("lost"))
    report(story, "reversed")
    assert story.transaction.receivable_minor == 0
    assert story.transaction.is_over


def test_an_accepted_transfer_cannot_be_refused_any_more():
    story = paying(pending())
    report(story, "pending")
    story.ignores(transfer(story.payout(), "refused"))
    assert story.transaction.payouts[story.payout()].status is PayoutStatus.SUBMITTED


def test_an_account_in_doubt_is_told_once_until_it_waits_and_a_super_admin_may_name_the_recipient():
    story = releasing(pending())
    doubt = DistrustAccount(purpose=PayoutPurpose.SELLER, doubt=AccountDoubt.DIFFERS)
    assert story.do(doubt) == ["payout_account_unproven"]
    assert story.do(doubt) == []
    assert story.transaction.stuck_reason == "payout_account_unproven: differs"
    story.refuses(RecipientMissing, release(None), SUPER)
    story.do(WaitForAccount(purpose=PayoutPurpose.SELLER, usable_at=story.now + timedelta(hours=24)))
    story.refuses(NotStuck, release("RCP_corrected", PayoutPurpose.SELLER), SUPER)
    assert story.do(doubt) == ["payout_account_unproven"]
    assert "payout_requested" in story.do(release("RCP_corrected", PayoutPurpose.SELLER), SUPER)
    story.refuses(NothingPayable, doubt)


def test_another_doubt_about_an_account_is_news():
    story = releasing(pending())
    for doubt in (AccountDoubt.SALT_MISSING, AccountDoubt.DIFFERS):
        distrust = DistrustAccount(purpose=PayoutPurpose.SELLER, doubt=doubt)
        assert story.do(distrust) == ["payout_account_unproven"]
        assert story.transaction.stuck_reason == f"payout_account_unproven: {doubt.value}"
        story.ignores(distrust)


def test_a_wait_that_was_told_before_a_doubt_is_told_again_once_nothing_is_in_doubt():
    releasing(story := pending())
    wait = WaitForAccount(purpose=PayoutPurpose.SELLER, usable_at=story.now + timedelta(days=1))
    story.do(wait)
    story.do(DistrustAccount(purpose=PayoutPurpose.SELLER, doubt=AccountDoubt.MISSING))
    assert story.do(wait) == ["payout_waits_for_account"]
    assert story.do(wait) == []
