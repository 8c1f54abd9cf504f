"""What the processor wants from a person before it goes on: a one-time password, or where a refund is to go.

The person's answer goes to the processor first and is recorded when a GET has shown what became of it, so a wrong
answer changes nothing. What is secret or personal in the answer never enters the log.
"""

from uuid import UUID

from domain.actor import Role
from domain.errors import Refused
from domain.reason import require_reason
from domain.transaction.event import TransactionEvent
from domain.transaction.hold import HoldTrack
from domain.transaction.note import NoteAdded
from domain.transaction.records import Payout, PayoutStatus, Refund, RefundStatus
from domain.transaction.refund import RefundReport
from domain.transaction.state import DisputeOpen, TransactionState
from domain.transaction.transfer import TransferReport


class PayoutNotAwaitingOtp(Refused):
    """No transfer of this transaction waits for a one-time password."""

    code = "payout_not_awaiting_otp"


class RefundNotAwaitingAccount(Refused):
    """No refund of this transaction waits for the buyer's account."""

    code = "refund_not_awaiting_account"


class PayoutFinalized(TransactionEvent):
    """Somebody typed the one-time password, and the processor accepted it; the password is in no log."""

    TOPIC = "transaction.payout_finalized.v1"
    reference: str
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """It is with the processor again, unless that has told more already."""
        payout = transaction.payouts[self.reference]
        status = PayoutStatus.SUBMITTED if payout.status is PayoutStatus.OTP else payout.status
        transaction.update_payout(self.reference, status=status, otp_typed=payout.otp_typed + 1)


class PayoutOtpResent(TransactionEvent):
    """Somebody had the one-time password sent again."""

    TOPIC = "transaction.payout_otp_resent.v1"
    IS_REMARK = True
    reference: str


class RefundRetried(TransactionEvent):
    """Somebody told the processor where a refund is to go; the log has a salted hash of the account and no more."""

    TOPIC = "transaction.refund_retried.v1"
    reference: str
    content_id: UUID
    content_sha256: str
    reason: str


class AttentionTrack(HoldTrack):
    """Answering the processor.

    With `report`, which a GET has confirmed, the answer was given and accepted: then nothing can refuse it any more.
    """

    def check_finalize(self) -> None:
        """Raise unless a super_admin, or the command line, could type a one-time password now."""
        self._require_operator()
        self.payout_awaiting_otp()

    def payout_awaiting_otp(self, reference: str | None = None) -> Payout:
        """Return the first transfer that waits for a password, or the one named; `DisputeOpen` while it is frozen."""
        waiting = [
            payout
            for payout in self.payouts.values()
            if payout.status is PayoutStatus.OTP
            and not self.is_charged_back(payout)
            and reference in (None, payout.reference)
        ]
        if not waiting:
            raise PayoutNotAwaitingOtp
        payable = [payout for payout in waiting if not self.is_frozen(payout.purpose)]
        if not payable:
            raise DisputeOpen
        return payable[0]

    def finalize_payout(self, reference: str | None, reason: str, report: TransferReport | None) -> None:
        """Record that the password was typed, and what the processor says of the transfer since.

        Raises `UnknownReference` for a report of another transaction's transfer.
        """
        self._require_operator()
        require_reason(reason)
        payout = self.payout_awaiting_otp(reference) if report is None else self.get_payout(report.reference)
        self.record(PayoutFinalized, reference=payout.reference, reason=reason)
        self.record(NoteAdded, text=reason)
        if report is not None:
            self.apply_transfer(report)

    def resend_otp(self, reference: str | None) -> None:
        """Record that the password was sent again."""
        self._require_operator()
        self.record(PayoutOtpResent, reference=self.payout_awaiting_otp(reference).reference)

    def check_retry_refund(self) -> None:
        """Raise unless a super_admin, or the command line, could say now where a refund is to go."""
        self._require_operator()
        self.refund_awaiting_account()

    def refund_awaiting_account(self, reference: str | None = None) -> Refund:
        """Return the first refund that waits for the buyer's account, or the one named; `DisputeOpen` while the payer's
        bank disputes what it gives back, and none that it has taken back.
        """
        waiting = [
            refund
            for refund in self.refunds.values()
            if refund.status is RefundStatus.NEEDS_ATTENTION
            and not refund.is_contested
            and reference in (None, refund.reference)
        ]
        if not waiting:
            raise RefundNotAwaitingAccount
        payable = [refund for refund in waiting if not self.is_disputed(refund)]
        if not payable:
            raise DisputeOpen
        return payable[0]

    def retry_refund(
        self, reference: str | None, reason: str, content_id: UUID, content_sha256: str, report: RefundReport | None
    ) -> None:
        """Record where the refund was sent, and what the processor says of it since."""
        self._require_operator()
        require_reason(reason)
        if report is None:
            reference = self.refund_awaiting_account(reference).reference
        self.record(
            RefundRetried,
            reference=reference if report is None else report.reference,
            content_id=content_id,
            content_sha256=content_sha256,
            reason=reason,
        )
        self.record(NoteAdded, text=reason)
        if report is not None:
            self.apply_refund(report)

    def _require_operator(self) -> None:
        """The command line acts for whoever runs the installation."""
        if self.actor.role is not Role.SYSTEM:
            self.require_staff(Role.SUPER_ADMIN)
