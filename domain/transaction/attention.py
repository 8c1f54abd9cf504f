"""What the processor wants from a person before it goes on: a one-time password, or where a refund is to go.

That he answers is recorded before the processor hears it, and then what became of it, as a GET has shown. A wrong
answer moves nothing. What is secret or personal in it never enters the log.
"""

from dataclasses import replace
from uuid import UUID

from domain.actor import Role
from domain.errors import Refused
from domain.reason import require_reason
from domain.transaction.event import TransactionEvent
from domain.transaction.hold import HoldTrack
from domain.transaction.note import NoteAdded
from domain.transaction.payment import UnknownReference
from domain.transaction.records import GivenAccount, Payout, PayoutStatus, Refund, RefundStatus
from domain.transaction.refund import RefundReport
from domain.transaction.state import DisputeOpen, TransactionState
from domain.transaction.transfer import TransferReport


class PayoutNotAwaitingOtp(Refused):
    """No transfer of this transaction waits for a one-time password."""

    code = "payout_not_awaiting_otp"


class RefundNotAwaitingAccount(Refused):
    """No refund of this transaction waits for the buyer's account."""

    code = "refund_not_awaiting_account"


class RefundAccountOutdated(Refused):
    """Another account was given for this refund since; to send it to this one after all, give it with a new key."""

    code = "refund_account_outdated"


class PayoutOtpTyped(TransactionEvent):
    """Somebody types the one-time password; committed before the processor hears of it. The password is in no log."""

    TOPIC = "transaction.payout_otp_typed.v1"
    IS_REMARK = True
    reference: str
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """Until it is known what became of it, it may be what pays the transfer."""
        transaction.update_payout(self.reference, otp_by=self.command_id)


class PayoutOtpRefused(TransactionEvent):
    """The processor did not take the one-time password that somebody typed."""

    TOPIC = "transaction.payout_otp_refused.v1"
    IS_REMARK = True
    reference: str
    refusal: str

    def change(self, transaction: TransactionState) -> None:
        """What pays the transfer is another one."""
        transaction.update_payout(self.reference, otp_by=None)


class PayoutFinalized(TransactionEvent):
    """Somebody typed the one-time password, and the processor accepted it; the password is in no log."""

    TOPIC = "transaction.payout_finalized.v1"
    reference: str
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """It is with the processor again, unless that has told more already."""
        payout = transaction.payouts[self.reference]
        status = PayoutStatus.SUBMITTED if payout.status is PayoutStatus.OTP else payout.status
        transaction.update_payout(self.reference, status=status, otp_typed=payout.otp_typed + 1, otp_by=None)


class PayoutOtpResendOrdered(TransactionEvent):
    """Somebody has the one-time password sent again; committed before the processor hears of it."""

    TOPIC = "transaction.payout_otp_resend_ordered.v1"
    IS_REMARK = True
    reference: str


class PayoutOtpResent(TransactionEvent):
    """Somebody had the one-time password sent again."""

    TOPIC = "transaction.payout_otp_resent.v1"
    IS_REMARK = True
    reference: str


class RefundAccountGiven(TransactionEvent):
    """Somebody says where a refund is to go; committed before the processor hears of it.

    The log has a salted hash of the account and no more.
    """

    TOPIC = "transaction.refund_account_given.v1"
    IS_REMARK = True
    reference: str
    content_id: UUID
    content_sha256: str
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """It is the last that was given."""
        given = *transaction.refunds[self.reference].accounts, GivenAccount(content_id=self.content_id)
        transaction.update_refund(self.reference, accounts=given)


class RefundAccountRefused(TransactionEvent):
    """The processor did not take the account that somebody gave; `refusal` is its word for that."""

    TOPIC = "transaction.refund_account_refused.v1"
    IS_REMARK = True
    reference: str
    content_id: UUID
    refusal: str

    def change(self, transaction: TransactionState) -> None:
        """The refund does not go there."""
        given = transaction.refunds[self.reference].accounts
        accounts = (replace(it, refusal=self.refusal) if it.content_id == self.content_id else it for it in given)
        transaction.update_refund(self.reference, accounts=tuple(accounts))


class RefundRetried(TransactionEvent):
    """Somebody told the processor where a refund is to go; the log has a salted hash of the account and no more."""

    TOPIC = "transaction.refund_retried.v1"
    reference: str
    content_id: UUID
    content_sha256: str
    reason: str


class AttentionTrack(HoldTrack):
    """Answering the processor: that somebody is about to, and what became of it, with what a GET has confirmed.

    What became of it can be recorded at any time.
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

    def type_otp(self, reference: str | None, reason: str) -> None:
        """Record that somebody is about to type the password of a transfer that waits for one."""
        self._require_operator()
        require_reason(reason)
        self.record(PayoutOtpTyped, reference=self.payout_awaiting_otp(reference).reference, reason=reason)
        self.record(NoteAdded, text=reason)

    def finalize_payout(self, reason: str, report: TransferReport) -> None:
        """Record that the password was accepted, and what the processor says of the transfer since.

        Raises `UnknownReference` for a report of another transaction's transfer.
        """
        self._require_operator()
        self.record(PayoutFinalized, reference=self.get_payout(report.reference).reference, reason=reason)
        self.apply_transfer(report)

    def refuse_otp(self, refusal: str, report: TransferReport) -> None:
        """Record that the password was not accepted, and what the processor says of the transfer; raises the same."""
        self._require_operator()
        self.record(PayoutOtpRefused, reference=self.get_payout(report.reference).reference, refusal=refusal)
        self.apply_transfer(report)

    def order_otp(self, reference: str | None) -> None:
        """Record that somebody is about to have the password sent again of a transfer that waits for one."""
        self._require_operator()
        self.record(PayoutOtpResendOrdered, reference=self.payout_awaiting_otp(reference).reference)

    def resend_otp(self, reference: str) -> None:
        """Record that the password was sent again. Raises `UnknownReference` for another transaction's transfer."""
        self._require_operator()
        self.record(PayoutOtpResent, reference=self.get_payout(reference).reference)

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

    def refund_to(self, content_id: UUID) -> Refund:
        """Return the refund that is to go to this account; `RefundAccountOutdated` where another was given since."""
        given_last = (refund for refund in self.refunds.values() if refund.accounts)
        found = next((refund for refund in given_last if refund.accounts[-1].content_id == content_id), None)
        if found is None:
            raise RefundAccountOutdated
        return found

    def give_refund_account(self, reference: str | None, reason: str, content_id: UUID, content_sha256: str) -> None:
        """Record that somebody is about to say where a refund is to go that waits for it."""
        self._require_operator()
        require_reason(reason)
        self.record(
            RefundAccountGiven,
            reference=self.refund_awaiting_account(reference).reference,
            content_id=content_id,
            content_sha256=content_sha256,
            reason=reason,
        )
        self.record(NoteAdded, text=reason)

    def retry_refund(self, reason: str, content_id: UUID, content_sha256: str, report: RefundReport) -> None:
        """Record that the account was accepted, and what the processor says of the refund since."""
        self._require_operator()
        self.record(
            RefundRetried,
            reference=report.reference,
            content_id=content_id,
            content_sha256=content_sha256,
            reason=reason,
        )
        self.apply_refund(report)

    def refuse_refund_account(self, content_id: UUID, refusal: str, report: RefundReport) -> None:
        """Record that the account was not accepted, and what the processor says of the refund.

        Raises `UnknownReference` for an account that was not given for it.
        """
        self._require_operator()
        refund = self.refunds.get(report.reference)
        if refund is None or all(it.content_id != content_id for it in refund.accounts):
            raise UnknownReference
        self.record(RefundAccountRefused, reference=report.reference, content_id=content_id, refusal=refusal)
        self.apply_refund(report)

    def _require_operator(self) -> None:
        """The command line acts for whoever runs the installation."""
        if self.actor.role is not Role.SYSTEM:
            self.require_staff(Role.SUPER_ADMIN)
