"""Payouts: the intent with its reference before any call, then what the processor says, applied through a lattice."""

from domain.errors import Refused
from domain.ids import derive_reference
from domain.journal import Account, Posting, credit, debit, journal
from domain.policy import MAX_PAYOUT_ATTEMPTS
from domain.transaction.attempt import (
    PayoutGivenUp,
    PayoutPaidAfterAll,
    PayoutRetryScheduled,
    PayoutReversalSeen,
    retry_at,
)
from domain.transaction.clawback import ClawbackTrack
from domain.transaction.event import TransactionEvent, TransactionMoneyEvent
from domain.transaction.payment import UnknownReference
from domain.transaction.phase import SOURCES
from domain.transaction.records import Payout, PayoutPurpose, PayoutStatus
from domain.transaction.shortfall import PayoutWaitsForBalance
from domain.transaction.state import DisputeOpen, TransactionState
from domain.transaction.transfer import NOT_PAID, TransferReport, TransferStatus


class NothingPayable(Refused):
    """Nothing is owed for this purpose, or it is on its way already."""

    code = "nothing_payable"


class PayoutAttemptsExhausted(Refused):
    """The payout failed too often; correct the recipient and have it paid again by force."""

    code = "payout_attempts_exhausted"


class PayoutRetryTooEarly(Refused):
    """The payout failed a moment ago; the next attempt waits until `possible_at`."""

    code = "payout_retry_too_early"


class PayoutRequested(TransactionMoneyEvent):
    """The intent to transfer money; committed before the processor hears of it."""

    TOPIC = "transaction.payout_requested.v1"
    reference: str
    purpose: PayoutPurpose
    attempt: int
    amount_minor: int
    recipient: str

    def change(self, transaction: TransactionState) -> None:
        """This money is on its way out and in no other."""
        super().change(transaction)
        transaction.payouts[self.reference] = Payout(
            reference=self.reference,
            purpose=self.purpose,
            attempt=self.attempt,
            amount_minor=self.amount_minor,
            recipient=self.recipient,
            status=PayoutStatus.REQUESTED,
        )
        transaction.pay_refunds_by(transaction.payouts[self.reference])


class PayoutUncertain(TransactionEvent):
    """Nobody knows whether the processor accepted the transfer: only a GET may resolve it."""

    TOPIC = "transaction.payout_uncertain.v1"
    reference: str
    error: str

    def change(self, transaction: TransactionState) -> None:
        """The same reference is asked for until there is an answer."""
        transaction.update_payout(self.reference, status=PayoutStatus.UNCERTAIN, waits_for_balance=False)


class PayoutSubmitted(TransactionMoneyEvent):
    """The processor accepted the transfer and took the amount from the balance."""

    TOPIC = "transaction.payout_submitted.v1"
    reference: str
    transfer_code: str | None

    def change(self, transaction: TransactionState) -> None:
        """It is with the processor."""
        super().change(transaction)
        transaction.update_payout(
            self.reference,
            status=PayoutStatus.SUBMITTED,
            accepted=True,
            transfer_code=self.transfer_code,
            waits_for_balance=False,
        )


class PayoutOtpRequired(TransactionEvent):
    """The processor waits for somebody to confirm the transfer with a code."""

    TOPIC = "transaction.payout_otp_required.v1"
    reference: str

    def change(self, transaction: TransactionState) -> None:
        """It is not conclusive."""
        transaction.update_payout(self.reference, status=PayoutStatus.OTP)


class PayoutSucceeded(TransactionMoneyEvent):
    """The processor paid."""

    TOPIC = "transaction.payout_succeeded.v1"
    reference: str
    fee_minor: int

    def change(self, transaction: TransactionState) -> None:
        """Whoever was owed has the money."""
        super().change(transaction)
        transaction.update_payout(self.reference, status=PayoutStatus.SUCCEEDED, fee_minor=self.fee_minor or None)


class PayoutFeeAssessed(TransactionMoneyEvent):
    """The processor's fee on a transfer became known after the transfer was reported as paid."""

    TOPIC = "transaction.payout_fee_assessed.v1"
    reference: str
    fee_minor: int

    def change(self, transaction: TransactionState) -> None:
        """The platform bears it."""
        super().change(transaction)
        transaction.update_payout(self.reference, fee_minor=self.fee_minor)


class PayoutFailed(TransactionMoneyEvent):
    """The transfer will never be paid: refused at the door, or failed, abandoned, blocked or rejected later."""

    TOPIC = "transaction.payout_failed.v1"
    reference: str
    status: TransferStatus
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """The money is owed again; a new attempt has a new reference."""
        super().change(transaction)
        transaction.owe_again(transaction.payouts[self.reference], self.postings)
        status = PayoutStatus.REVERSED if self.status is TransferStatus.REVERSED else PayoutStatus.FAILED
        transaction.update_payout(self.reference, status=status, failure=self.reason, waits_for_balance=False)


class PayoutReversed(TransactionMoneyEvent):
    """The processor took back a transfer that it had reported as paid."""

    TOPIC = "transaction.payout_reversed.v1"
    reference: str
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """The money is owed again; a sale is completed by what its seller gets."""
        super().change(transaction)
        payout = transaction.payouts[self.reference]
        if payout.purpose is PayoutPurpose.SELLER:
            transaction.completed_at = None
        transaction.owe_again(payout, self.postings)
        transaction.update_payout(self.reference, status=PayoutStatus.REVERSED, failure=self.reason)


class PayoutTrack(ClawbackTrack):
    """Asking for transfers and recording what the processor says."""

    def request_payout(self, purpose: PayoutPurpose, recipient: str, *, forced: bool = False) -> None:
        """Record the intent to transfer all that is payable for a purpose to a recipient code of the processor.

        Raises `NothingPayable` while nothing is owed or an earlier attempt is not conclusive, `DisputeOpen` for
        what an open dispute freezes, and, unless it is forced, `PayoutRetryTooEarly` soon after a failure
        and `PayoutAttemptsExhausted` after five attempts since one that was paid.
        """
        self.require_payable(purpose)
        if not forced:
            self._require_pause_over(purpose)
        if self.attempts_since_paid(purpose) >= MAX_PAYOUT_ATTEMPTS and not forced:
            raise PayoutAttemptsExhausted
        attempt = self.next_attempt(purpose)
        reference = derive_reference("po", self.id, purpose.value, attempt)
        amount = self.payable_minor(purpose)
        self.record(
            PayoutRequested,
            reference=reference,
            purpose=purpose,
            attempt=attempt,
            amount_minor=amount,
            recipient=recipient,
            currency=self.price.currency,
            postings=journal(debit(SOURCES[purpose], amount), credit(Account.PAYOUT_IN_FLIGHT, amount, reference)),
        )

    def record_transfer(self, report: TransferReport) -> None:
        """Apply what the processor says, whatever the order and however often; raise `UnknownReference`."""
        self.require_system()
        self.apply_transfer(report)

    def apply_transfer(self, report: TransferReport) -> None:
        """The same, whoever acts: he has had the processor asked."""
        payout = self.get_payout(report.reference)
        if payout.status is PayoutStatus.SUCCEEDED and report.status is TransferStatus.REVERSED:
            self._record_reversed(payout, report)
        elif payout.status.is_open:
            self._record_progress(payout, report)
        elif payout.status is PayoutStatus.FAILED and report.status is TransferStatus.SUCCESS:
            self._record_paid_after_all(payout, report)
        elif payout.status is PayoutStatus.FAILED and report.status is TransferStatus.REVERSED:
            self.record(PayoutReversalSeen, reference=payout.reference)
        self._assess_transfer_fee(self.payouts[report.reference], report)

    def get_payout(self, reference: str) -> Payout:
        """Return the payout with this reference; raise `UnknownReference`."""
        payout = self.payouts.get(reference)
        if payout is None:
            raise UnknownReference
        return payout

    def _assess_transfer_fee(self, payout: Payout, report: TransferReport) -> None:
        """The fee may be told of late, or by a report of the success that arrives after the reversal."""
        was_paid = payout.status in {PayoutStatus.SUCCEEDED, PayoutStatus.REVERSED}
        tells = report.status in {TransferStatus.SUCCESS, TransferStatus.REVERSED} and report.fee_minor
        if was_paid and tells and payout.fee_minor is None:
            lines = debit(Account.TRANSFER_FEE, report.fee_minor or 0), credit(Account.BALANCE, report.fee_minor or 0)
            self._record_money(PayoutFeeAssessed, payout, *lines, fee_minor=report.fee_minor)

    def _record_progress(self, payout: Payout, report: TransferReport) -> None:
        if report.status is TransferStatus.UNCERTAIN:
            if payout.status is PayoutStatus.REQUESTED or payout.waits_for_balance:
                self.record(PayoutUncertain, reference=payout.reference, error=report.reason or "no answer")
            return
        if report.status is TransferStatus.NOT_COVERED:
            self._record_waiting(payout)
            return
        if report.status is TransferStatus.REFUSED:
            self._record_refused(payout, report)
            return
        if not payout.accepted:
            self._record_accepted(payout, report)
        if report.status is TransferStatus.OTP and payout.status is not PayoutStatus.OTP:
            self.record(PayoutOtpRequired, reference=payout.reference)
        elif report.status is TransferStatus.SUCCESS:
            self._record_succeeded(payout, report)
        elif report.status in NOT_PAID:
            self._record_failed(payout, report)

    def _record_waiting(self, payout: Payout) -> None:
        """However often it is tried, only the beginning is news."""
        if not (payout.accepted or payout.waits_for_balance):
            self.record(
                PayoutWaitsForBalance,
                reference=payout.reference,
                amount_minor=payout.amount_minor,
                currency=self.price.currency,
            )

    def _record_accepted(self, payout: Payout, report: TransferReport) -> None:
        amount = payout.amount_minor
        self._record_money(
            PayoutSubmitted,
            payout,
            debit(Account.TRANSFERS_IN_TRANSIT, amount),
            credit(Account.BALANCE, amount),
            transfer_code=report.transfer_code,
        )

    def _record_succeeded(self, payout: Payout, report: TransferReport) -> None:
        fee = report.fee_minor or 0
        self._record_money(
            PayoutSucceeded,
            payout,
            debit(Account.PAYOUT_IN_FLIGHT, payout.amount_minor, payout.reference),
            credit(Account.TRANSFERS_IN_TRANSIT, payout.amount_minor),
            debit(Account.TRANSFER_FEE, fee),
            credit(Account.BALANCE, fee),
            fee_minor=fee,
        )

    def _record_refused(self, payout: Payout, report: TransferReport) -> None:
        """Refused at the door: an accepted transfer cannot be refused any more, so that report is stale."""
        if not payout.accepted:
            self.end_unsent(payout, report.reason or "refused")
            self._follow_failure(payout, report)

    def end_unsent(self, payout: Payout, reason: str) -> None:
        """What it was to pay is owed again. Should it have been sent unheard, the next report of it says so."""
        owed_again = self._owed_again(payout)
        self._record_money(PayoutFailed, payout, *owed_again, status=TransferStatus.REFUSED, reason=reason)

    def _record_failed(self, payout: Payout, report: TransferReport) -> None:
        amount = payout.amount_minor
        self._record_money(
            PayoutFailed,
            payout,
            debit(Account.BALANCE, amount),
            credit(Account.TRANSFERS_IN_TRANSIT, amount),
            *self._owed_again(payout),
            status=report.status,
            reason=report.reason or report.status.value,
        )
        self._follow_failure(self.payouts[payout.reference], report)

    def _follow_failure(self, payout: Payout, report: TransferReport) -> None:
        """The seller's debts come first; for what is left the next attempt is scheduled, or a person has to look."""
        self.recover_from_payable()
        if self.payable_minor(payout.purpose) == 0:
            return
        tried = self.attempts_since_paid(payout.purpose)
        at = None if report.status is TransferStatus.REVERSED else retry_at(payout, tried, self.now)
        if at is None:
            reason = report.reason or report.status.value
            self.record(PayoutGivenUp, reference=payout.reference, attempts=payout.attempt, reason=reason)
        else:
            self.record(PayoutRetryScheduled, reference=payout.reference, retry_at=at)

    def _record_paid_after_all(self, payout: Payout, report: TransferReport) -> None:
        """The money that was owed again after the failure has left after all; what an attempt since took is missing."""
        amount, fee = payout.amount_minor, report.fee_minor or 0
        owed = min(amount, self.payable_minor(payout.purpose))
        twice = debit(Account.SELLER_RECEIVABLE, amount - owed, str(self.seller_id))
        self._record_money(
            PayoutPaidAfterAll,
            payout,
            debit(SOURCES[payout.purpose], owed),
            twice if payout.purpose is PayoutPurpose.SELLER else debit(Account.LOSSES, amount - owed),
            credit(Account.BALANCE, amount),
            debit(Account.TRANSFER_FEE, fee),
            credit(Account.BALANCE, fee),
            amount_minor=amount,
            twice_minor=amount - owed,
            fee_minor=fee,
        )
        self.recover_from_payable()

    def _record_reversed(self, payout: Payout, report: TransferReport) -> None:
        amount = payout.amount_minor
        self._record_money(
            PayoutReversed,
            payout,
            debit(Account.BALANCE, amount),
            *self._back_to_source(payout),
            reason=report.reason or "reversed",
        )
        self.recover_from_payable()

    def _owed_again(self, payout: Payout) -> tuple[Posting, ...]:
        return debit(Account.PAYOUT_IN_FLIGHT, payout.amount_minor, payout.reference), *self._back_to_source(payout)

    def _back_to_source(self, payout: Payout) -> tuple[Posting, Posting]:
        """The payee is owed again what did not reach him; what he has twice by another transfer is our loss no more."""
        covered = min(payout.amount_minor, self.paid_twice_minor[payout.purpose])
        return credit(SOURCES[payout.purpose], payout.amount_minor - covered), credit(Account.LOSSES, covered)

    def _record_money(
        self, event: type[TransactionMoneyEvent], payout: Payout, *postings: Posting, **facts: object
    ) -> None:
        self.record(
            event,
            reference=payout.reference,
            currency=self.price.currency,
            postings=journal(*postings),
            **facts,
        )

    def _require_pause_over(self, purpose: PayoutPurpose) -> None:
        last = self.last_payout(purpose)
        if last is not None and last.retry_at is not None and self.now < last.retry_at:
            raise PayoutRetryTooEarly(possible_at=last.retry_at.isoformat())

    def require_payable(self, purpose: PayoutPurpose) -> None:
        """Raise unless money is owed for a purpose, undisputed, and not on its way."""
        if self.is_frozen(purpose):
            raise DisputeOpen
        is_open = any(payout.purpose is purpose and payout.status.is_open for payout in self.payouts.values())
        if is_open or self.payable_minor(purpose) == 0:
            raise NothingPayable
