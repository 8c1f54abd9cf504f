"""What the processor wants from a person: typed by a super_admin or at the command line, on record but the secret."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.actor import Actor
from domain.errors import Forbidden
from domain.reason import ReasonTooShort
from domain.transaction.attention import PayoutNotAwaitingOtp, RefundNotAwaitingAccount
from domain.transaction.payment import UnknownReference
from domain.transaction.refund import ProcessorRefundStatus, RefundReport
from domain.transaction.staff_commands import FinalizePayout, ResendOtp, RetryRefund
from domain.transaction.state import DisputeOpen
from domain.transaction.transfer import TransferReport, TransferStatus
from tests.domain.paths import REASON, TRANSFER_FEE, dispute, paying, pending, refunded, refunding, transfer
from tests.domain.people import ADMIN, BUYER, SELLER, SUPER, SYSTEM
from tests.domain.story import Story

TYPED = FinalizePayout(reason=REASON)
SENT_ON = RetryRefund(reason=REASON, content_id=UUID(int=9), content_sha256="d" * 64)


def waiting() -> Story:
    """A payout whose transfer waits for a one-time password."""
    story = paying(pending())
    story.do(transfer(story.payout(), "otp"))
    return story


def answered(story: Story, status: TransferStatus) -> FinalizePayout:
    """The command as it is carried out once a GET has told what became of the transfer."""
    fee = TRANSFER_FEE if status is TransferStatus.SUCCESS else None
    report = TransferReport(reference=story.payout(), status=status, transfer_code="TRF_1", fee_minor=fee)
    return FinalizePayout(reason=REASON, report=report)


def test_what_the_processor_says_after_the_password_is_recorded_in_one_append():
    story = waiting()
    assert story.transaction.stuck_reason == "payout_otp"
    events = story.do(answered(story, TransferStatus.SUCCESS), SUPER)
    assert events[:2] == ["payout_finalized", "note_added"]
    assert "payout_succeeded" in events
    assert story.phase == "completed"


def test_a_report_of_a_strange_transfer_is_refused_and_changes_nothing():
    story = waiting()
    report = TransferReport(reference="po-other", status=TransferStatus.SUCCESS)
    story.refuses(UnknownReference, FinalizePayout(reason=REASON, report=report), SUPER)


def test_while_the_processor_says_nothing_new_it_is_with_the_processor_again():
    story = waiting()
    story.do(answered(story, TransferStatus.PENDING), SUPER)
    assert story.transaction.stuck_reason == "payout_submitted"
    story.do(transfer(story.payout(), "otp"))
    assert story.transaction.stuck_reason == "payout_otp", "it wants another one"


def test_a_success_that_was_heard_of_meanwhile_takes_nothing_from_who_typed_the_password():
    story = waiting()
    report = answered(story, TransferStatus.SUCCESS)
    story.do(transfer(story.payout(), "success", TRANSFER_FEE))
    assert story.do(report, SUPER) == ["payout_finalized", "note_added"]
    assert story.phase == "completed"


@pytest.mark.parametrize("actor", [BUYER, SELLER, ADMIN])
def test_only_a_super_admin_or_the_command_line_types_a_password(actor: Actor):
    story = waiting()
    for command in (ResendOtp(), TYPED):
        story.refuses(Forbidden, command, actor)
        assert story.do(command, SYSTEM)


def test_nothing_is_typed_without_a_reason_or_a_transfer_that_waits():
    story = waiting()
    story.refuses(ReasonTooShort, FinalizePayout(reason="short"), SUPER)
    story.refuses(PayoutNotAwaitingOtp, FinalizePayout(reason=REASON, reference="po-another"), SUPER)
    story.do(transfer(story.payout(), "success"))
    story.refuses(PayoutNotAwaitingOtp, TYPED, SUPER)
    story.refuses(PayoutNotAwaitingOtp, ResendOtp(), SUPER)


def test_a_dispute_keeps_the_sellers_transfer_from_being_finished():
    story = waiting()
    story.do(dispute(), BUYER)
    story.refuses(DisputeOpen, TYPED, SUPER)
    assert "finalize-payout" not in story.transaction.allowed_actions(SUPER, story.now)


def test_sending_the_password_again_is_on_record_and_changes_nothing():
    story = waiting()
    assert story.do(ResendOtp(), SUPER) == ["payout_otp_resent"]
    assert story.transaction.stuck_reason == "payout_otp"
    assert "finalize-payout" in story.transaction.allowed_actions(SUPER, story.now)


def in_need() -> Story:
    """A refund that waits for the buyer's account."""
    story = refunding(pending())
    story.do(refunded(story.refund(), "needs-attention"))
    return story


def test_where_a_refund_goes_is_on_record_as_a_hash_and_it_goes_on():
    story = in_need()
    assert "retry-refund" in story.transaction.allowed_actions(SUPER, story.now)
    report = RefundReport(
        reference=story.refund(), status=ProcessorRefundStatus.PROCESSING, processor_refund_id="1", reason=None
    )
    assert story.do(replace(SENT_ON, report=report), SUPER) == ["refund_retried", "note_added", "refund_processing"]
    assert story.transaction.stuck_reason == "refund_processing"
    story.refuses(RefundNotAwaitingAccount, SENT_ON, SUPER)


def test_only_a_super_admin_or_the_command_line_says_where_a_refund_goes_and_why():
    story = in_need()
    for actor in (BUYER, SELLER, ADMIN):
        story.refuses(Forbidden, SENT_ON, actor)
    story.refuses(ReasonTooShort, replace(SENT_ON, reason="short"), SUPER)
    story.refuses(RefundNotAwaitingAccount, replace(SENT_ON, reference="rf-another"), SUPER)
    assert story.do(SENT_ON, SYSTEM) == ["refund_retried", "note_added"]
