"""A transaction that is held back after a restore says so, and by what, before anything else that it waits for."""

from domain.restore import PaymentKind
from domain.transaction.system_commands import BeginHold, EndHold, RecordRefusedQuestion
from tests.domain import paths
from tests.domain.paths import pending

HELD = BeginHold(kind=PaymentKind.TRANSFER, reference="po-77")


def test_what_holds_it_back_is_named_until_it_does_no_more():
    story = paths.disputed(pending())
    waits_for = story.transaction.stuck_reason
    assert story.do(HELD) == ["hold_begun"]
    assert story.do(HELD) == []
    assert story.transaction.stuck_reason == "held_back: transfer po-77"
    story.do(RecordRefusedQuestion(reference="po-77", refusal="not_today"))
    assert story.transaction.stuck_reason == "held_back: transfer po-77: not_today when asked about it"
    story.do(BeginHold(kind=PaymentKind.REFUND, reference="rf-78"))
    assert story.do(EndHold(reference="po-77")) == ["hold_ended"]
    assert story.do(EndHold(reference="po-77")) == []
    assert story.transaction.stuck_reason == "held_back: refund rf-78"
    story.do(EndHold(reference="rf-78"))
    assert story.transaction.stuck_reason == waits_for
