"""What a seller owes: paid back in cash, settled from his money, or given up."""

from domain.money import AmountNotPositive
from domain.reason import ReasonTooShort
from domain.transaction.clawback import NothingOwed
from domain.transaction.records import Finding
from domain.transaction.staff_commands import RecoverInCash, WriteOff
from tests.domain.paths import REASON, completed, dispute, pending, refunded, resolve
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


def test_nobody_owes_anything_on_a_plain_sale():
    completed(story := pending())
    story.refuses(NothingOwed, RecoverInCash(amount_minor=1, reason=REASON), SUPER)
    assert "write-off" not in story.actions(SUPER)
