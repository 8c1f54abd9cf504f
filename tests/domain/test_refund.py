"""Refunds: ordered before they are sent, matched by note, and paid by transfer when the processor fails."""

from itertools import permutations

import pytest

from domain.journal import Account
from domain.transaction.dispute import DisputeTooLate
from domain.transaction.force import NotStuck, RecipientMissing
from domain.transaction.payment import UnknownReference
from domain.transaction.payout import NothingPayable
from domain.transaction.records import PayoutPurpose, RefundStatus
from domain.transaction.refund import ProcessorRefundStatus, RefundReport
from domain.transaction.staff_commands import GrantApproval
from domain.transaction.system_commands import RecordRefund, ReturnReceipts
from projections.transaction import row_of
from tests.domain.paths import (
    asked,
    charge,
    chargeback,
    completed,
    confirm,
    contract,
    dispute,
    disputed,
    pay_out,
    pending,
    refund,
    refunded,
    refunding,
    release,
    returned,
    transfer,
)
from tests.domain.people import BUYER, SECOND, SUPER
from tests.domain.story import Story

SENT_AFTER_ALL = ["failed_refund_sent", "refund_submitted", "refund_processed"]
HISTORIES = {
    "processed": ["pending", "processing", "processed"],
    "needed attention": ["pending", "processing", "needs-attention", "processed"],
    "failed": ["pending", "processing", "failed"],
    "failed after attention": ["pending", "needs-attention", "failed"],
    "never accepted": ["uncertain", "refused"],
    "uncertain, then processed": ["uncertain", "pending", "processed"],
    "not covered, then processed": ["not_covered", "uncertain", "pending", "processed"],
    "not covered, then refused": ["not_covered", "refused"],
}


@pytest.mark.parametrize("name", HISTORIES)
def test_reports_in_any_order_and_repeated_lead_to_the_same_state(name: str):
    outcomes = set()
    for order in permutations(HISTORIES[name]):
        story = refunding(pending())
        for status in (*order, *order, order[0]):
            story.do(refunded(story.refund(), status))
        outcomes.add(repr((story.phase, story.transaction.refunds[story.refund()].status, story.balances())))
    assert len(outcomes) == 1


def test_attention_given_it_goes_on_processing():
    story = refunding(pending())
    story.do(refunded(story.refund(), "needs-attention"))
    assert story.transaction.stuck_reason == "refund_needs_attention"
    story.do(refunded(story.refund(), "processing"))
    story.do(refunded(story.refund(), "processed"))
    assert story.phase == "refunded"


def test_a_balance_that_is_too_low_is_said_when_it_begins_and_until_the_refund_goes_through():
    story = refunding(pending())
    for _ in range(2):
        assert story.do(refunded(story.refund(), "not_covered")) == ["refund_waits_for_balance"]
        assert story.do(refunded(story.refund(), "not_covered")) == []
        assert story.transaction.stuck_reason == "refund_waiting_for_balance: 100000 KES"
        assert story.do(refunded(story.refund(), "uncertain")) == ["refund_uncertain"]
        assert story.do(refunded(story.refund(), "uncertain")) == []
        assert story.transaction.stuck_reason == "refund_uncertain"
    story.do(refunded(story.refund(), "not_covered"))
    story.do(refunded(story.refund(), "pending"))
    assert story.transaction.stuck_reason == "refund_submitted"
    assert story.do(refunded(story.refund(), "not_covered")) == [], "what is said late is no news"


@pytest.mark.parametrize("status", ["pending", "processed", "failed", "refused", "not_covered"])
def test_what_a_person_was_to_look_at_is_said_to_be_settled_once_it_is(status: str):
    story = refunding(pending())
    look = RefundReport(
        reference=story.refund(), status=ProcessorRefundStatus.UNCERTAIN, reason="gateway_refund_ambiguous"
    )
    for _ in range(2):
        story.do(RecordRefund(report=look))
    assert story.do(refunded(story.refund(), "uncertain")) == [], "it is as it was"
    assert story.do(refunded(story.refund(), status))[-1] == "refund_doubt_resolved"
    assert "refund_doubt_resolved" not in story.do(refunded(story.refund(), status))
    if status == "not_covered":
        assert story.do(RecordRefund(report=look)) == ["refund_uncertain"], "there is a doubt once more"


def test_a_failed_refund_is_paid_by_transfer():
    story = refunding(pending())
    story.do(refunded(story.refund(), "failed"))
    assert story.phase == "refunding"
    story.do(pay_out(PayoutPurpose.REFUND, "RCP_buyer"))
    story.do(transfer(story.payout(), "success"))
    assert story.phase == "refunded"
    story.refuses(NothingPayable, pay_out(PayoutPurpose.REFUND))


def test_a_failed_refund_is_paid_to_an_account_that_staff_name_when_the_buyer_has_none():
    story = refunding(pending())
    story.refuses(NotStuck, release("RCP_buyer", PayoutPurpose.REFUND), SUPER)
    story.do(refunded(story.refund(), "failed"))
    assert story.transaction.stuck_reason == "refund_failed: awaiting a transfer to the buyer"
    assert "release" in story.transaction.allowed_actions(SUPER, story.now)
    story.refuses(RecipientMissing, release(), SUPER)
    assert story.do(release("RCP_buyer", PayoutPurpose.REFUND, limit=0), SUPER) == ["approval_requested"], (
        "four eyes as for every release"
    )
    story.do(GrantApproval(approval_id=story.approval()), SECOND)
    (payout,) = story.transaction.payouts.values()
    assert (payout.purpose, payout.recipient, payout.amount_minor) == (PayoutPurpose.REFUND, "RCP_buyer", 100_000)
    story.refuses(NotStuck, release("RCP_again", PayoutPurpose.REFUND), SUPER)
    story.do(transfer(payout.reference, "success"))
    assert story.phase == "refunded"


def test_the_row_does_not_count_a_transfer_that_returns_stray_money_as_refunded():
    story = completed(pending())
    story.do(charge(story, processor_id="charge-2"))
    story.do(ReturnReceipts())
    story.do(refunded(story.refund(), "failed"))
    story.do(pay_out(PayoutPurpose.REFUND, "RCP_buyer"))
    story.do(transfer(story.payout(), "success"))
    assert (story.phase, row_of(story.transaction, 1)["refunded_minor"]) == ("completed", 0)


def test_a_transfer_to_the_buyer_that_comes_back_leaves_the_day_of_completion_as_it_was():
    story = disputed(pending())
    story.do(refund(30_000), SUPER)
    story.do(refunded(story.refund(), "failed"))
    story.do(release(), SUPER)
    for purpose in (PayoutPurpose.SELLER, PayoutPurpose.REFUND):
        story.do(pay_out(purpose))
        story.do(transfer(story.payout(), "success"))
    done = story.transaction.completed_at
    story.wait(days=40).do(transfer(story.payout(), "reversed"))
    assert (story.phase, story.transaction.completed_at) == ("payout_failed", done)
    story.do(release("RCP_other", PayoutPurpose.REFUND), SUPER)
    story.do(transfer(story.payout(), "success"))
    assert (story.phase, story.transaction.completed_at) == ("completed", done)
    story.refuses(DisputeTooLate, dispute(2), BUYER)


def test_one_failed_refund_is_payable_while_another_is_under_way():
    story = disputed(pending())
    story.do(refund(30_000), SUPER)
    story.do(refunded(story.refund(), "failed"))
    story.do(refund(20_000), SUPER)
    assert story.transaction.payable_minor(PayoutPurpose.REFUND) == 30_000


def test_a_failed_transfer_to_the_buyer_is_no_failure_once_it_was_paid_though_another_refund_is_under_way():
    story = disputed(pending())
    story.do(refund(30_000), SUPER)
    story.do(refunded(story.refund(), "failed"))
    story.do(pay_out(PayoutPurpose.REFUND))
    story.do(transfer(story.payout(), "refused"))
    assert story.phase == "payout_failed"
    story.do(chargeback("lost", 100_000))
    assert story.transaction.payable_minor(PayoutPurpose.REFUND) == 0


def test_an_unknown_reference_is_refused():
    refunding(story := pending())
    story.refuses(UnknownReference, refunded("rf-other", "processed"))


def test_a_full_refund_returns_the_surcharge():
    story = asked(pending())
    story.do(charge(story, 101_500, requested_minor=100_000))
    story.do(contract())
    story.wait(hours=72)
    _lapse(story)
    assert story.transaction.refunds[story.refund()].amount_minor == 101_500
    story.do(refunded(story.refund(), "processed"))
    assert story.balance(Account.FEE_SURCHARGE) == 0
    assert story.phase == "refunded"


def test_a_partial_refund_keeps_the_surcharge_and_the_rest_returns_it():
    story = asked(pending())
    story.do(charge(story, 101_500, requested_minor=100_000))
    story.do(contract())
    story.do(dispute(), BUYER)
    story.do(refund(30_000), SUPER)
    assert story.balance(Account.FEE_SURCHARGE) == -1_500
    story.do(refund(), SUPER)
    assert story.transaction.refunds[story.refund()].amount_minor == 71_500
    assert story.balance(Account.FEE_SURCHARGE) == 0


def _lapse(story: Story) -> None:
    from domain.transaction.system_commands import EnforceDeadline

    story.do(EnforceDeadline())


def test_the_time_of_the_refund_is_when_the_buyer_had_it_back():
    story = refunding(pending())
    story.wait(days=2).do(refunded(story.refund(), "processed"))
    assert story.transaction.refunded_at == story.now


def test_what_comes_after_the_end_changes_nothing():
    story = returned(pending())
    for status in ("pending", "processing", "needs-attention", "failed", "refused", "uncertain"):
        story.ignores(refunded(story.refund(), status))


def test_a_refund_that_fails_gives_the_money_back_to_where_it_was_taken_from():
    story = refunding(pending())
    before = story.balance(Account.UNCLEARED)
    story.do(refunded(story.refund(), "pending", Account.UNCLEARED))
    assert story.balance(Account.UNCLEARED) == before - 100_000
    story.do(refunded(story.refund(), "failed", Account.BALANCE))
    assert story.balance(Account.UNCLEARED) == before


def test_a_refund_that_a_chargeback_cancelled_but_was_sent_after_all_is_on_the_books():
    story = refunding(pending())
    story.do(chargeback("lost"))
    assert story.transaction.refunds[story.refund()].status is RefundStatus.CANCELLED
    topics = story.do(refunded(story.refund(), "processed"))
    assert topics == ["cancelled_refund_sent", "refund_submitted", "refund_processed"]
    assert story.balance(Account.LOSSES) == 100_000
    assert story.transaction.is_flat


def test_a_cancelled_refund_that_was_never_accepted_stays_cancelled():
    story = refunding(pending())
    story.do(chargeback("lost"))
    story.ignores(refunded(story.refund(), "refused"))
    story.ignores(refunded(story.refund(), "uncertain"))


@pytest.mark.parametrize("word", ["refused", "failed"])
def test_a_refund_called_failed_that_is_paid_after_all_is_no_longer_owed(word: str):
    story = refunding(pending())
    for status in ("uncertain", word):
        story.do(refunded(story.refund(), status))
    assert story.do(refunded(story.refund(), "processed")) == SENT_AFTER_ALL
    assert story.balance(Account.LOSSES) == 0
    assert story.phase == "refunded"
    story.ignores(refunded(story.refund(), "processed"))
    story.ignores(refunded(story.refund(), "failed"))
    story.refuses(NothingPayable, pay_out(PayoutPurpose.REFUND))


@pytest.mark.parametrize("word", ["refused", "failed"])
@pytest.mark.parametrize("paid", [True, False])
def test_what_a_refund_pays_after_all_beside_a_transfer_the_buyer_has_twice(word: str, paid: bool):
    story = refunding(pending())
    story.do(refunded(story.refund(), word))
    story.do(pay_out(PayoutPurpose.REFUND))
    story.do(transfer(story.payout(), "success" if paid else "uncertain"))
    assert story.do(refunded(story.refund(), "processed")) == SENT_AFTER_ALL
    assert story.last("failed_refund_sent").amount_minor == 100_000
    assert story.balance(Account.LOSSES) == 100_000
    story.do(transfer(story.payout(), "reversed" if paid else "failed"))
    assert story.balance(Account.LOSSES) == 0, "he has it once"
    assert story.transaction.payable_minor(PayoutPurpose.REFUND) == 0
    assert story.phase == "refunded"


@pytest.mark.parametrize("waits", [True, False])
def test_a_transfer_that_was_not_sent_ends_when_the_refund_is_paid_that_it_was_to_pay(waits: bool):
    story = refunding(pending())
    story.do(refunded(story.refund(), "failed"))
    story.do(pay_out(PayoutPurpose.REFUND))
    if waits:
        story.do(transfer(story.payout(), "not_covered"))
    assert story.do(refunded(story.refund(), "processed")) == ["payout_failed", *SENT_AFTER_ALL]
    ended, sent = story.last("payout_failed"), story.last("failed_refund_sent")
    assert (ended.status, ended.reason, sent.amount_minor) == ("refused", "refund_paid", 0)
    assert (story.phase, story.transaction.is_flat, story.balance(Account.LOSSES)) == ("refunded", True, 0)
    assert story.transaction.stuck_reason is None
    story.do(transfer(story.payout(), "success"))
    assert story.balance(Account.LOSSES) == 100_000, "it had been sent unheard"


def test_what_such_a_transfer_was_to_pay_besides_is_paid_by_another_one():
    story = disputed(pending())
    for amount in (30_000, 20_000):
        story.do(refund(amount), SUPER)
        story.do(refunded(story.refund(), "failed"))
    story.do(pay_out(PayoutPurpose.REFUND))
    story.do(refunded(story.refund(), "processed"))
    assert story.transaction.payable_minor(PayoutPurpose.REFUND) == 30_000
    story.wait(minutes=10).do(pay_out(PayoutPurpose.REFUND))
    assert story.last("payout_requested").amount_minor == 30_000
    story.do(transfer(story.payout(), "success"))
    assert (story.balance(Account.REFUND_DUE), story.balance(Account.LOSSES)) == (0, 0)


def test_a_transfer_and_its_refund_that_are_both_paid_after_all_are_paid_twice_and_no_more():
    story = refunding(pending())
    story.do(refunded(story.refund(), "refused"))
    story.do(pay_out(PayoutPurpose.REFUND))
    story.do(transfer(story.payout(), "refused"))
    story.do(refunded(story.refund(), "processed"))
    story.do(transfer(story.payout(), "success"))
    assert story.balance(Account.LOSSES) == 100_000
    assert (story.phase, story.transaction.payable_minor(PayoutPurpose.REFUND)) == ("refunded", 0)


def test_a_failed_refund_that_is_paid_after_all_does_not_take_what_another_is_about_to_send():
    story = disputed(pending())
    story.do(refund(30_000), SUPER)
    failed = story.refund()
    story.do(refunded(failed, "failed"))
    story.do(refund(20_000), SUPER)
    story.do(refunded(failed, "processed"))
    assert story.balance(Account.LOSSES) == 0
    assert story.balance(Account.REFUND_DUE) == -20_000
    story.do(refunded(story.refund(), "processed"))
    assert story.balance(Account.REFUND_DUE) == 0


def test_a_failed_refund_that_is_paid_beside_a_chargeback_counts_as_refunded_once_more():
    story = disputed(pending())
    story.do(refund(30_000), SUPER)
    story.do(refunded(story.refund(), "failed"))
    story.do(release(), SUPER)
    story.do(chargeback("lost", 30_000))
    assert story.transaction.refundable_minor == 70_000
    story.do(refunded(story.refund(), "processed"))
    assert story.balance(Account.LOSSES) == 30_000
    assert story.transaction.refundable_minor == 40_000


def test_only_the_word_that_it_is_paid_undoes_the_failure_of_a_refund():
    story = refunding(pending())
    story.do(refunded(story.refund(), "failed"))
    for status in ("uncertain", "not_covered", "pending", "processing", "needs-attention", "failed", "refused"):
        story.ignores(refunded(story.refund(), status))


def test_a_chargeback_of_a_part_leaves_the_rest_of_the_refund_owed_once():
    story = disputed(pending())
    story.do(refund(), SUPER)
    story.do(chargeback("lost", 40_000))
    assert story.transaction.payable_minor(PayoutPurpose.REFUND) == 60_000
    assert story.transaction.refundable_minor == 0
    story.do(pay_out(PayoutPurpose.REFUND, "RCP_buyer"))
    story.do(transfer(story.payout(), "success"))
    assert story.transaction.is_over
    assert story.balance(Account.SELLER_RECEIVABLE) == story.balance(Account.LOSSES) == 0


def test_a_refund_of_a_part_leaves_the_rest_to_be_released():
    story = disputed(pending())
    story.do(refund(30_000), SUPER)
    story.do(confirm(), BUYER)
    assert story.transaction.payable_minor(PayoutPurpose.SELLER) == 63_000
