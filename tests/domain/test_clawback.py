"""What a seller owes: paid back in cash, settled from his money, or given up."""

from domain.money import AmountNotPositive
from domain.policy import Terms
from domain.reason import ReasonTooShort
from domain.transaction.clawback import NothingOwed
from domain.transaction.records import Finding, PayoutPurpose
from domain.transaction.staff_commands import RecoverInCash, WriteOff
from domain.transaction.system_commands import EnforceDeadline
from tests.domain.paths import (
    REASON,
    completed,
    dispute,
    pay_out,
    paying,
    pending,
    refunded,
    release,
    resolve,
    transfer,
)
from tests.domain.people import BUYER, SUPER
from tests.domain.story import Story


def owing() -> Story:
    story = completed(pending())
    story.do(dispute(), BUYER)
    story.do(resolve(story, Finding.SELLER), SUPER)
    story.do(refunded(story.refund(), "processed"))
    return story


def test_it_can_be_paid_in_parts_and_the_rest_written_off():
    story = owing()
    story.do(RecoverInCash(amount_minor=50_000, reason=REASON), SUPER)
    refusal = story.refuses(NothingOwed, RecoverInCash(amount_minor=40_001, reason=REASON), SUPER)
    assert refusal.facts["owed_minor"] == 40_000
    story.do(WriteOff(amount_minor=40_000, reason=REASON), SUPER)
    assert story.transaction.stuck_reason is None
    story.refuses(NothingOwed, WriteOff(amount_minor=1, reason=REASON), SUPER)


def test_amounts_are_positive_and_what_is_recovered_or_lost_has_a_reason_and_a_note():
    story = owing()
    story.refuses(AmountNotPositive, RecoverInCash(amount_minor=0, reason=REASON), SUPER)
    story.refuses(AmountNotPositive, WriteOff(amount_minor=-1, reason=REASON), SUPER)
    story.refuses(ReasonTooShort, WriteOff(amount_minor=1, reason="gone"), SUPER)
    story.refuses(ReasonTooShort, RecoverInCash(amount_minor=1, reason="paid"), SUPER)
    assert story.do(RecoverInCash(amount_minor=1, reason=REASON), SUPER) == ["note_added", "clawback_recovered"]
    assert story.last("clawback_recovered").reason == REASON
    assert story.do(WriteOff(amount_minor=1, reason=REASON), SUPER) == ["note_added", "loss_written_off"]


def test_a_failed_payout_that_a_debt_has_swallowed_does_not_hold_up_what_is_owed_later():
    story = paying(pending(terms=Terms(reserve_bps=2_000, warranty_seconds=5 * 86_400)))
    first = story.payout()
    story.do(transfer(first, "refused"))
    story.do(release("RCP_other", PayoutPurpose.SELLER), SUPER)
    story.do(transfer(first, "success"))
    story.do(transfer(story.payout(), "pending"))
    assert story.do(transfer(story.payout(), "failed")) == ["payout_failed", "clawback_recovered"]
    story.wait(days=5).do(EnforceDeadline())
    assert (story.phase, story.transaction.stuck_reason) == ("releasing", "awaiting_payout_request")
    story.do(pay_out())
    assert story.do(transfer(story.payout(), "refused")) == ["payout_failed", "payout_given_up"]
    assert story.phase == "payout_failed"


def test_a_payout_that_was_given_up_and_paid_after_all_does_not_hold_up_what_is_owed_later():
    story = paying(pending(terms=Terms(reserve_bps=2_000, warranty_seconds=5 * 86_400)))
    first = story.payout()
    for recipient in ("RCP_other", "RCP_third"):
        story.do(transfer(story.payout(), "refused"))
        story.do(release(recipient, PayoutPurpose.SELLER), SUPER)
    story.do(transfer(story.payout(), "refused"))
    story.do(transfer(first, "success"))
    story.wait(days=5).do(EnforceDeadline())
    assert (story.phase, story.transaction.attempts_since_paid(PayoutPurpose.SELLER)) == ("releasing", 0)


def test_a_swallowed_payout_that_is_paid_after_all_and_comes_back_waits_for_a_person():
    story = paying(pending())
    story.do(dispute(), BUYER)
    story.do(resolve(story, Finding.SELLER), SUPER)
    story.do(transfer(story.payout(), "refused"))
    story.do(transfer(story.payout(), "success"))
    story.do(RecoverInCash(amount_minor=90_000, reason=REASON), SUPER)
    story.do(transfer(story.payout(), "reversed"))
    story.do(refunded(story.refund(), "processed"))
    assert story.phase == "payout_failed"


def test_nobody_owes_anything_on_a_plain_sale():
    completed(story := pending())
    story.refuses(NothingOwed, RecoverInCash(amount_minor=1, reason=REASON), SUPER)
    assert "write-off" not in story.actions(SUPER)
