"""Chargebacks at every stage: always accepted, counted once, and taken from where the table says."""

from itertools import permutations

import pytest

from domain.journal import Account
from domain.policy import Terms
from domain.transaction.commands import RevealCredentials
from domain.transaction.records import Finding
from domain.transaction.settlement import RefundTooLarge
from domain.transaction.staff_commands import RecoverInCash
from domain.transaction.state import DisputeOpen, NothingHeld
from domain.transaction.system_commands import ReturnReceipts
from tests.domain.paths import (
    PHASES,
    REASON,
    TRANSFER_FEE,
    asked,
    charge,
    chargeback,
    compensating,
    completed,
    confirm,
    dispute,
    disputed,
    pay_out,
    paying,
    pending,
    refund,
    refunded,
    refunding,
    release,
    releasing,
    resolve,
    revealed,
    sign,
    signed,
    splitting,
    transfer,
)
from tests.domain.people import BUYER, SUPER
from tests.domain.story import Story

A = Account
UNPAID = ("pending", "cancelled", "expired")
TAKEN = {
    "funds_held": {A.HELD: 100_000},
    "contract_signed": {A.HELD: 100_000},
    "credentials_released": {A.HELD: 100_000},
    "releasing": {A.SELLER_PAYABLE: 90_000, A.PLATFORM_FEE: 10_000},
    "payout_failed": {A.SELLER_PAYABLE: 90_000, A.PLATFORM_FEE: 10_000},
    "completed": {A.PLATFORM_FEE: 10_000, A.SELLER_RECEIVABLE: 90_000},
    "refunding": {A.REFUND_DUE: 100_000},
    "refunded": {A.LOSSES: 100_000},
    "disputed": {A.HELD: 100_000},
    "split": {A.PLATFORM_FEE: 5_000, A.SELLER_RECEIVABLE: 45_000, A.LOSSES: 50_000},
    "charged_back": {A.LOSSES: 100_000},
}


@pytest.mark.parametrize("phase", TAKEN)
def test_a_lost_chargeback_is_taken_in_order(phase: str):
    story = PHASES[phase](pending())
    before = story.balances()
    story.do(chargeback("lost", number="another"))
    after = story.balances()
    taken = {a: after.get(a, 0) - before.get(a, 0) for a in after.keys() | before.keys()}
    assert taken.pop(A.BALANCE) == -100_000
    assert {account: amount for account, amount in taken.items() if amount} == TAKEN[phase]
    assert story.phase == "charged_back"


@pytest.mark.parametrize("phase", UNPAID)
def test_a_lost_one_of_a_price_that_nobody_saw_paid_waits_and_moves_nothing(phase: str):
    assert {*UNPAID, *TAKEN} == set(PHASES)
    story = PHASES[phase](pending())
    before = story.balances()
    assert story.do(chargeback("lost")) == ["dispute_opened", "dispute_escalated"]
    assert story.balances() == before
    assert story.phase != "charged_back"


@pytest.mark.parametrize("phase", PHASES)
def test_one_is_accepted_in_every_phase_and_won_again(phase: str):
    story = PHASES[phase](pending())
    was = story.phase
    assert story.do(chargeback("open", number="another")) == ["dispute_opened"]
    story.ignores(chargeback("open", number="another"))
    assert "dispute_resolved" in story.do(chargeback("won", number="another"))
    story.ignores(chargeback("lost", number="another"))
    assert story.phase == was


@pytest.mark.parametrize("end", ["won", "lost"])
def test_reports_in_any_order_and_repeated_lead_to_the_same_state(end: str):
    outcomes = set()
    for order in permutations(["open", "open", end]):
        story = signed(pending())
        for outcome in (*order, *order):
            story.do(chargeback(outcome))
        outcomes.add(repr((story.phase, story.balances(), list(story.transaction.disputes.values()))))
    assert len(outcomes) == 1


def test_reports_about_everything_at_once_lead_to_the_same_books_in_any_order():
    """A transfer that succeeds and is taken back, a chargeback, a second charge: all 120 orders, each report twice."""
    found = set()
    start = paying(pending())
    reports = [
        transfer(start.payout(), "success", TRANSFER_FEE),
        transfer(start.payout(), "reversed"),
        chargeback("open"),
        chargeback("lost"),
        charge(start, processor_id="charge-2", fee_minor=None),
    ]
    for order in permutations(reports):
        story = start.fork()
        for report in (*order, *order):
            story.do(report)
        payouts = [payout.status for payout in story.transaction.payouts.values()]
        found.add(repr((story.phase, payouts, sorted(story.balances().items()))))
    assert len(found) == 1


def test_a_refund_and_a_chargeback_that_cross_lead_to_the_same_phase_and_lose_no_money():
    """Which of them came first decides whether the refund was cancelled: the loss is the same when both were paid."""
    found = set()
    start = refunding(pending())
    reports = [refunded(start.refund(), "pending"), refunded(start.refund(), "processed"), chargeback("lost")]
    for order in permutations(reports):
        story = start.fork()
        for report in (*order, *order):
            story.do(report)
        found.add(repr((story.phase, sorted(story.balances().items()))))
    assert len(found) == 1


def test_an_open_one_freezes_everything_the_parties_could_do():
    story = signed(pending())
    story.do(chargeback("open"))
    story.refuses(DisputeOpen, RevealCredentials(sealed_to="x"), BUYER)
    accepted = revealed(pending())
    accepted.do(chargeback("open"))
    accepted.refuses(DisputeOpen, confirm(), BUYER)
    owed = releasing(pending())
    owed.do(chargeback("open"))
    owed.refuses(DisputeOpen, pay_out())


def test_after_a_lost_one_nothing_goes_on():
    story = PHASES["funds_held"](pending())
    story.do(chargeback("lost", 1))
    story.refuses(NothingHeld, sign(), BUYER)


def test_what_a_chargeback_of_a_part_left_can_be_released_by_a_super_admin():
    story = revealed(pending())
    story.do(chargeback("lost", 40_000))
    assert story.transaction.stuck_reason == "money_still_held"
    assert "release_ordered" in story.do(release(), SUPER)
    story.do(pay_out())
    story.do(transfer(story.payout(), "success"))
    assert story.transaction.is_over


def test_what_a_chargeback_of_a_part_left_can_be_refunded_by_a_super_admin():
    story = revealed(pending())
    story.do(chargeback("lost", 40_000))
    story.do(refund(), SUPER)
    assert story.transaction.refunds[story.refund()].amount_minor == 60_000


def test_a_dispute_about_what_a_chargeback_left_can_be_resolved_either_way():
    for finding in (Finding.BUYER, Finding.SELLER):
        story = disputed(pending())
        story.do(chargeback("lost", 40_000))
        twin = story.fork()
        first = next(iter(twin.transaction.disputes))
        command = resolve(twin, finding)
        twin.do(type(command)(dispute_id=first, award=command.award, limit_usd_cents=10**9), SUPER)
        assert twin.transaction.held_minor == 0


def test_a_reserve_that_a_chargeback_left_is_still_released_by_the_clock():
    story = releasing(pending(terms=Terms(reserve_bps=900, warranty_seconds=86400)))
    story.do(chargeback("lost", 81_000 + 4_000))
    assert story.transaction.stuck_reason == "awaiting_end_of_warranty"
    from domain.transaction.system_commands import EnforceDeadline

    assert story.wait(days=1).do(EnforceDeadline()) == ["reserve_released"]


def test_a_reserve_that_is_gone_has_no_deadline():
    story = releasing(pending(terms=Terms(reserve_bps=900, warranty_seconds=86400)))
    story.do(chargeback("lost"))
    assert story.transaction.next_deadline is None


def test_a_refund_sent_before_the_chargeback_is_our_loss():
    story = refunding(pending())
    story.do(refunded(story.refund(), "pending"))
    story.do(chargeback("lost"))
    story.do(refunded(story.refund(), "processed"))
    assert story.balance(A.LOSSES) == 100_000
    assert story.transaction.is_over


def test_two_chargebacks_never_take_from_the_seller_what_he_has_paid_back():
    story = completed(pending())
    story.do(chargeback("lost", 50_000))
    assert story.transaction.receivable_minor == 40_000
    story.do(RecoverInCash(amount_minor=40_000, reason=REASON), SUPER)
    story.do(chargeback("lost", 60_000, number="second"))
    assert story.transaction.receivable_minor == 50_000
    assert story.balance(A.LOSSES) == 10_000


def test_compensation_is_not_touched():
    story = compensating(pending())
    story.do(chargeback("lost"))
    assert story.transaction.owed(A.COMPENSATION_DUE) == 5_000
    assert story.transaction.stuck_reason == "awaiting_compensation_payout"


def test_after_a_split_both_shares_are_taken():
    story = splitting(pending())
    story.do(chargeback("lost"))
    assert story.transaction.is_over
    assert story.balance(A.LOSSES) == 0


def test_it_cannot_be_withdrawn_by_whoever_reported_it():
    from domain.transaction.commands import WithdrawDispute
    from domain.transaction.dispute import ProcessorDecides

    story = signed(pending())
    story.do(chargeback("open"))
    story.refuses(ProcessorDecides, WithdrawDispute(dispute_id=story.dispute()))


@pytest.mark.parametrize("finding", [Finding.SELLER, Finding.PLATFORM, Finding.BUYER])
def test_a_dispute_about_a_sale_that_was_charged_back_with_its_surcharge_can_be_decided(finding: Finding):
    story = asked(pending())
    story.do(charge(story, 101_500, requested_minor=100_000, fee_minor=1_500))
    story.do(chargeback("lost", 101_500))
    assert story.transaction.refundable_of_price_minor == 0
    story.do(dispute(), BUYER)
    assert "dispute_resolved" in story.do(resolve(story, finding), SUPER)


def refunded_in_part_and_charged_back() -> Story:
    """Half goes back by a refund, which a chargeback of that half cancels."""
    story = completed(pending())
    story.do(dispute(), BUYER)
    story.do(resolve(story, Finding.BUYER), SUPER)
    story.do(refund(50_000), SUPER)
    story.do(chargeback("lost", 50_000))
    assert story.transaction.refundable_minor == 50_000
    return story


def test_a_cancelled_refund_that_was_sent_all_the_same_leaves_nothing_to_refund():
    story = refunded_in_part_and_charged_back()
    story.do(refunded(story.refund(), "processed"))
    assert story.transaction.refundable_minor == 0
    story.refuses(RefundTooLarge, refund(), SUPER)


def test_a_cancelled_refund_that_was_sent_all_the_same_is_not_covered_by_what_another_refund_is_to_send():
    story = refunded_in_part_and_charged_back()
    first = story.refund()
    story.do(refund(), SUPER)
    second = story.refund()
    for reference in (first, second):
        story.do(refunded(reference, "processed"))
    assert story.transaction.is_flat


def test_stray_money_whose_return_failed_does_not_pay_for_the_sale_that_was_charged_back():
    story = completed(pending())
    story.do(charge(story, 100_000, processor_id="charge-2"))
    story.do(ReturnReceipts())
    story.do(refunded(story.refund(), "failed"))
    story.do(chargeback("lost"))
    assert story.balance(A.REFUND_DUE) == -100_000
    assert story.transaction.receivable_minor == 90_000
