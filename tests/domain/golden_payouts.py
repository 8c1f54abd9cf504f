"""Stories about payouts that do not go through at once; their bytes are frozen in `golden/`."""

from uuid import UUID

from domain.transaction.records import PayoutPurpose
from domain.transaction.refund import ProcessorRefundStatus, RefundReport
from domain.transaction.staff_commands import (
    FinalizePayout,
    GiveRefundAccount,
    GrantApproval,
    OrderOtp,
    RefuseOtp,
    RefuseRefundAccount,
    ResendOtp,
    RetryRefund,
    TypeOtp,
)
from domain.transaction.system_commands import (
    DistrustAccount,
    RecordAnsweredQuestion,
    RecordRefund,
    RecordRefusedQuestion,
)
from domain.user import AccountDoubt
from tests.domain import paths
from tests.domain.holding import HOLD, LET_GO
from tests.domain.paths import REASON, pending, refunded, transfer
from tests.domain.people import SECOND, SUPER
from tests.domain.story import Story


def repeated() -> Story:
    """A payout fails and is repeated; the repetition is refused, and then both turn out to have been paid."""
    story = paths.paying(pending())
    first = story.payout()
    story.do(transfer(first, "failed"))
    story.wait(minutes=1).do(paths.pay_out())
    story.do(transfer(story.payout(), "refused"))
    story.do(transfer(story.payout(), "success", 2_000))
    story.do(transfer(first, "success"))
    return story


def uncovered() -> Story:
    """The processor's balance is too low for a refund and then for a payout, until somebody tops it up."""
    story = paths.disputed(pending())
    story.do(paths.refund(30_000), SUPER)
    for status in ("not_covered", "processed"):
        story.do(refunded(story.refund(), status))
    story.do(paths.release(), SUPER)
    story.do(paths.pay_out())
    for status in ("not_covered", "success"):
        story.do(transfer(story.payout(), status))
    return story


def refunded_after_all() -> Story:
    """A refund that was called refused is paid after all, beside the transfer that was to pay it instead."""
    story = paths.refunding(pending())
    story.do(refunded(story.refund(), "refused"))
    story.do(paths.pay_out(PayoutPurpose.REFUND))
    story.do(refunded(story.refund(), "processed"))
    story.do(transfer(story.payout(), "success", 2_000))
    return story


def unanswered() -> Story:
    """The processor refuses to say what became of a payout, and then says it."""
    story = paths.paying(pending())
    story.do(transfer(story.payout(), "pending"))
    story.wait(minutes=10).do(RecordRefusedQuestion(reference=story.payout(), refusal="unknown"))
    story.do(RecordAnsweredQuestion(reference=story.payout()))
    story.do(transfer(story.payout(), "success", 2_000))
    return story


def attended() -> Story:
    """A transfer wants a one-time password, which is sent again and typed; once that was recorded in one piece."""
    story = paths.paying(pending())
    story.do(transfer(story.payout(), "otp"))
    story.do(ResendOtp(reference=story.payout()), SUPER)
    story.do(FinalizePayout(reason=REASON, report=transfer(story.payout(), "pending").report), SUPER)
    story.do(transfer(story.payout(), "success", 2_000))
    return story


def sent_on() -> Story:
    """A refund needs the buyer's account, which staff pass on; once that was recorded in one piece."""
    story = paths.refunding(pending())
    story.do(refunded(story.refund(), "needs-attention"))
    report = refunded(story.refund(), "processing").report
    story.do(RetryRefund(reason=REASON, content_id=UUID(int=0xACC), content_sha256="d" * 64, report=report), SUPER)
    story.do(refunded(story.refund(), "processed"))
    return story


def resent() -> Story:
    """A transfer wants a one-time password, which somebody orders again, and which is sent again."""
    story = paths.paying(pending())
    story.do(transfer(story.payout(), "otp"))
    story.do(OrderOtp(), SUPER)
    story.do(ResendOtp(reference=story.payout()), SUPER)
    return story


def typed_twice() -> Story:
    """A transfer wants a one-time password; the first that is typed is wrong."""
    story = paths.paying(pending())
    story.do(transfer(story.payout(), "otp"))
    story.do(TypeOtp(reason=REASON), SUPER)
    story.do(RefuseOtp(refusal="invalid_otp", report=transfer(story.payout(), "otp").report), SUPER)
    story.do(TypeOtp(reason=REASON), SUPER)
    story.do(FinalizePayout(reason=REASON, report=transfer(story.payout(), "success", 2_000).report), SUPER)
    return story


def sent_elsewhere() -> Story:
    """A refund needs the buyer's account; the processor does not take the first that staff pass on."""
    story = paths.refunding(pending())
    story.do(refunded(story.refund(), "needs-attention"))
    first, second = UUID(int=0xACC), UUID(int=0xACD)
    story.do(GiveRefundAccount(reason=REASON, content_id=first, content_sha256="d" * 64), SUPER)
    refusal = refunded(story.refund(), "needs-attention").report
    story.do(RefuseRefundAccount(content_id=first, refusal="unknown", report=refusal), SUPER)
    story.do(GiveRefundAccount(reason=REASON, content_id=second, content_sha256="e" * 64), SUPER)
    report = refunded(story.refund(), "processing").report
    story.do(RetryRefund(reason=REASON, content_id=second, content_sha256="e" * 64, report=report), SUPER)
    story.do(refunded(story.refund(), "processed"))
    return story


def held_back() -> Story:
    """After a restore the processor has a transfer that the sale has no place for; a person lets the sale go on."""
    story = paths.paying(pending())
    story.do(HOLD)
    story.do(LET_GO)
    return story


def doubted() -> Story:
    """The processor has another refund in the place of one; then it has that one as well."""
    story = paths.refunding(pending())
    status, reason = ProcessorRefundStatus.UNCERTAIN, "gateway_refund_ambiguous"
    story.do(RecordRefund(report=RefundReport(reference=story.refund(), status=status, reason=reason)))
    story.do(refunded(story.refund(), "processed"))
    return story


def paid_by_two() -> Story:
    """A refund of a part fails and its payee's account is in doubt; two people agree to pay it to another."""
    story = paths.disputed(pending())
    story.do(paths.refund(30_000), SUPER)
    story.do(refunded(story.refund(), "failed"))
    story.do(DistrustAccount(purpose=PayoutPurpose.REFUND, doubt=AccountDoubt.DIFFERS))
    story.do(paths.release("RCP_buyer", PayoutPurpose.REFUND, limit=0), SUPER)
    story.do(GrantApproval(approval_id=story.approval()), SECOND)
    story.do(transfer(story.payout(), "success", 2_000))
    return story


def taken_back_unseen() -> Story:
    """A payout that was refused had been paid and taken back before anybody asked; the next attempt pays."""
    story = paths.payout_failed(pending())
    story.do(transfer(story.payout(), "reversed", 2_000))
    story.do(paths.release(), SUPER)
    story.do(transfer(story.payout(), "success", 2_000))
    return story
