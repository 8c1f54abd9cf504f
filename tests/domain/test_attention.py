"""What the processor wants from a person: typed by a super_admin or at the command line, on record but the secret."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.actor import Actor
from domain.errors import Forbidden
from domain.reason import ReasonTooShort
from domain.transaction.attention import PayoutNotAwaitingOtp, RefundAccountOutdated, RefundNotAwaitingAccount
from domain.transaction.payment import UnknownReference
from domain.transaction.refund import ProcessorRefundStatus, RefundReport
from domain.transaction.staff_commands import (
    FinalizePayout,
    GiveRefundAccount,
    OrderOtp,
    RefuseOtp,
    RefuseRefundAccount,
    ResendOtp,
    RetryRefund,
    TypeOtp,
)
from domain.transaction.state import DisputeOpen
from domain.transaction.transfer import TransferReport, TransferStatus
from tests.domain.paths import REASON, TRANSFER_FEE, dispute, paying, pending, refunded, refunding, transfer
from tests.domain.people import ADMIN, BUYER, SELLER, SUPER, SYSTEM
from tests.domain.story import Story

TYPED = TypeOtp(reason=REASON)
GIVEN = GiveRefundAccount(reason=REASON, content_id=UUID(int=9), content_sha256="d" * 64)


def waiting() -> Story:
    """A payout whose transfer waits for a one-time password."""
    story = paying(pending())
    story.do(transfer(story.payout(), "otp"))
    return story


OTP = TransferStatus.OTP


def answered(story: Story, status: TransferStatus) -> FinalizePayout:
    """The command as it is carried out once a GET has told what became of the transfer."""
    fee = TRANSFER_FEE if status is TransferStatus.SUCCESS else None
    report = TransferReport(reference=story.payout(), status=status, transfer_code="TRF_1", fee_minor=fee)
    return FinalizePayout(reason=REASON, report=report)


def test_that_somebody_types_the_password_is_recorded_first_and_then_what_the_processor_says():
    story = waiting()
    assert story.do(TYPED, SUPER) == ["payout_otp_typed", "note_added"]
    assert story.transaction.stuck_reason == "payout_otp"
    assert story.do(answered(story, TransferStatus.SUCCESS), SUPER) == ["payout_finalized", "payout_succeeded"]
    assert story.phase == "completed"


def test_a_password_that_is_refused_leaves_the_transfer_waiting_or_tells_what_became_of_it():
    story = waiting()
    story.do(TYPED, SUPER)
    refused = [RefuseOtp(refusal="no", report=answered(story, said).report) for said in (OTP, TransferStatus.SUCCESS)]
    assert story.fork().do(refused[1], SUPER) == ["payout_otp_refused", "payout_succeeded"]
    assert story.do(refused[0], SUPER) == ["payout_otp_refused"]
    assert story.transaction.stuck_reason == "payout_otp"


def test_a_report_of_a_strange_transfer_is_refused_and_changes_nothing():
    story = waiting()
    report = TransferReport(reference="po-other", status=TransferStatus.SUCCESS)
    for command in (FinalizePayout(reason=REASON, report=report), RefuseOtp(refusal="no", report=report)):
        story.refuses(UnknownReference, command, SUPER)


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
    assert story.do(report, SUPER) == ["payout_finalized"]
    assert story.phase == "completed"


@pytest.mark.parametrize("actor", [BUYER, SELLER, ADMIN])
def test_only_a_super_admin_or_the_command_line_types_a_password(actor: Actor):
    story = waiting()
    for command in (OrderOtp(), TYPED):
        story.refuses(Forbidden, command, actor)
        assert story.do(command, SYSTEM)


def test_nothing_is_typed_without_a_reason_or_a_transfer_that_waits():
    story = waiting()
    story.refuses(ReasonTooShort, TypeOtp(reason="short"), SUPER)
    story.refuses(PayoutNotAwaitingOtp, TypeOtp(reason=REASON, reference="po-another"), SUPER)
    story.do(transfer(story.payout(), "success"))
    story.refuses(PayoutNotAwaitingOtp, TYPED, SUPER)
    story.refuses(PayoutNotAwaitingOtp, OrderOtp(), SUPER)


def test_a_dispute_keeps_the_sellers_transfer_from_being_finished():
    story = waiting()
    story.do(dispute(), BUYER)
    story.refuses(DisputeOpen, TYPED, SUPER)
    assert "finalize-payout" not in story.transaction.allowed_actions(SUPER, story.now)


def test_sending_the_password_again_is_on_record_and_changes_nothing():
    story = waiting()
    assert story.do(OrderOtp(), SUPER) == ["payout_otp_resend_ordered"]
    assert story.do(ResendOtp(reference=story.payout()), SUPER) == ["payout_otp_resent"]
    story.refuses(UnknownReference, ResendOtp(reference="po-another"), SUPER)
    assert story.transaction.stuck_reason == "payout_otp"
    assert "finalize-payout" in story.transaction.allowed_actions(SUPER, story.now)


def in_need() -> Story:
    """A refund that waits for the buyer's account."""
    story = refunding(pending())
    story.do(refunded(story.refund(), "needs-attention"))
    return story


def reported(story: Story, status: ProcessorRefundStatus) -> RefundReport:
    """What a GET says of the refund."""
    return RefundReport(reference=story.refund(), status=status, processor_refund_id="1", reason=None)


def taken(story: Story) -> RetryRefund:
    """The command that records that the processor took the account."""
    report = reported(story, ProcessorRefundStatus.PROCESSING)
    return RetryRefund(reason=REASON, content_id=GIVEN.content_id, content_sha256="d" * 64, report=report)


def test_where_a_refund_is_to_go_is_on_record_as_a_hash_and_then_it_goes_on():
    story = in_need()
    assert "retry-refund" in story.transaction.allowed_actions(SUPER, story.now)
    assert story.do(GIVEN, SUPER) == ["refund_account_given", "note_added"]
    assert story.transaction.stuck_reason == "refund_needs_attention"
    assert story.transaction.refund_to(GIVEN.content_id).reference == story.refund()
    assert story.do(taken(story), SUPER) == ["refund_retried", "refund_processing"]
    assert story.transaction.stuck_reason == "refund_processing"
    story.refuses(RefundNotAwaitingAccount, GIVEN, SUPER)


def test_an_account_that_is_refused_leaves_the_refund_waiting_for_another():
    story = in_need()
    refused = RefuseRefundAccount(
        content_id=GIVEN.content_id, refusal="no", report=reported(story, ProcessorRefundStatus.NEEDS_ATTENTION)
    )
    story.refuses(UnknownReference, refused, SUPER)
    story.do(GIVEN, SUPER)
    assert story.do(refused, SUPER) == ["refund_account_refused"]
    assert story.do(replace(GIVEN, content_id=UUID(int=10)), SUPER) == ["refund_account_given", "note_added"]
    with pytest.raises(RefundAccountOutdated):
        story.transaction.refund_to(GIVEN.content_id)


def test_to_answer_voids_no_request_that_waits_for_a_second_person():
    story = in_need()
    before = story.transaction.voided_at_version
    story.do(GIVEN, SUPER)
    assert story.transaction.voided_at_version == before


def test_only_a_super_admin_or_the_command_line_says_where_a_refund_goes_and_why():
    story = in_need()
    for actor in (BUYER, SELLER, ADMIN):
        story.refuses(Forbidden, GIVEN, actor)
    story.refuses(ReasonTooShort, replace(GIVEN, reason="short"), SUPER)
    story.refuses(RefundNotAwaitingAccount, replace(GIVEN, reference="rf-another"), SUPER)
    assert story.do(GIVEN, SYSTEM) == ["refund_account_given", "note_added"]
