"""A transaction that is held back after a restore says so, and by what, before anything else that it waits for."""

from domain.restore import PaymentKind, external_payment_id
from domain.transaction.system_commands import BeginHold, EndHold, RecordRefusedQuestion
from tests.domain import paths
from tests.domain.holding import HOLD, LET_GO
from tests.domain.paths import pending

KINDS = (PaymentKind.REFUND, PaymentKind.CHARGE, PaymentKind.CHARGEBACK)
REFUND, CHARGE, CHARGEBACK = (external_payment_id(kind, "78") for kind in KINDS)


def test_what_holds_it_back_is_named_until_it_does_no_more():
    story = paths.disputed(pending())
    waits_for = story.transaction.stuck_reason
    assert story.do(HOLD) == ["hold_begun"]
    assert story.do(HOLD) == []
    assert story.transaction.stuck_reason == "held_back: transfer po-77"
    story.do(RecordRefusedQuestion(reference="po-77", refusal="not_today"))
    assert story.transaction.stuck_reason == "held_back: transfer po-77: not_today when asked about it"
    story.do(BeginHold(external_payment_id=REFUND, kind=PaymentKind.REFUND, reference="rf-78"))
    assert story.do(LET_GO) == ["hold_ended"]
    assert story.do(LET_GO) == []
    assert story.transaction.stuck_reason == "held_back: refund rf-78"
    story.do(EndHold(external_payment_id=REFUND))
    assert story.transaction.stuck_reason == waits_for


def test_a_charge_and_a_chargeback_of_it_hold_it_back_each_for_itself():
    story = paths.disputed(pending())
    story.do(BeginHold(external_payment_id=CHARGE, kind=PaymentKind.CHARGE, reference="ch-78"))
    held = BeginHold(external_payment_id=CHARGEBACK, kind=PaymentKind.CHARGEBACK, reference="ch-78")
    assert story.do(held) == ["hold_begun"]
    story.do(EndHold(external_payment_id=CHARGE))
    assert story.transaction.stuck_reason == "held_back: chargeback ch-78"
