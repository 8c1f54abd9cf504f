"""Refunds at the processor: no reference of its own protects them, so the order comes first and is matched by note."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from domain.journal import Account, credit, debit, journal
from domain.policy import UNKNOWN_AT_MOST
from domain.transaction.attempt import PayoutRetryScheduled
from domain.transaction.cooling import CoolingTrack
from domain.transaction.event import TransactionEvent, TransactionMoneyEvent
from domain.transaction.payment import UnknownReference
from domain.transaction.records import Payout, PayoutPurpose, PayoutStatus, Refund, RefundStatus
from domain.transaction.shortfall import RefundWaitsForBalance
from domain.transaction.state import TransactionState


class ProcessorRefundStatus(StrEnum):
    """What the processor says of a refund; `UNCERTAIN`: nobody knows.

    `REFUSED`: it never accepted it; `NOT_COVERED`: nor did it, but only until its balance is topped up.
    """

    UNCERTAIN = "uncertain"
    NOT_COVERED = "not_covered"
    REFUSED = "refused"
    PENDING = "pending"
    PROCESSING = "processing"
    NEEDS_ATTENTION = "needs-attention"
    PROCESSED = "processed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundReport:
    """What the processor said of a refund; `source` is the account it took the money from."""

    reference: str
    status: ProcessorRefundStatus
    processor_refund_id: str | None = None
    reason: str | None = None
    source: Account = Account.BALANCE


NEEDS_A_LOOK = frozenset({"gateway_outcome_mismatched", "gateway_refund_ambiguous"})
"""Errors that no waiting clears up: the processor has another refund in its place, which a person has to look at."""

REFUND_PAID = "refund_paid"
"""Why a transfer ended that was to pay a refund which had failed."""


class RefundUncertain(TransactionEvent):
    """Nobody knows whether the processor accepted the refund: list and match before any second try."""

    TOPIC = "transaction.refund_uncertain.v1"
    reference: str
    error: str

    def change(self, transaction: TransactionState) -> None:
        """A second refund must not be sent."""
        transaction.update_refund(
            self.reference, status=RefundStatus.UNCERTAIN, doubt=self.error, waits_for_balance=False
        )


class RefundDoubtResolved(TransactionEvent):
    """What a person had to look at is settled: it is clear what became of the refund, or that it was not made yet.

    A remark: what became of it is an event of its own.
    """

    TOPIC = "transaction.refund_doubt_resolved.v1"
    IS_REMARK = True
    reference: str
    doubt: str

    def change(self, transaction: TransactionState) -> None:
        """Should there be a doubt once more, that is said once more."""
        transaction.update_refund(self.reference, doubt=None)


class RefundSubmitted(TransactionMoneyEvent):
    """The processor accepted the refund and took the amount."""

    TOPIC = "transaction.refund_submitted.v1"
    reference: str
    processor_refund_id: str | None
    source: Account

    def change(self, transaction: TransactionState) -> None:
        """It is with the processor."""
        super().change(transaction)
        transaction.update_refund(
            self.reference,
            status=RefundStatus.SUBMITTED,
            processor_refund_id=self.processor_refund_id,
            source=self.source,
            waits_for_balance=False,
        )


class RefundProcessing(TransactionEvent):
    """The processor is sending the money to the buyer's bank."""

    TOPIC = "transaction.refund_processing.v1"
    reference: str

    def change(self, transaction: TransactionState) -> None:
        """It is not conclusive."""
        transaction.update_refund(self.reference, status=RefundStatus.PROCESSING)


class RefundNeedsAttention(TransactionEvent):
    """The processor needs the customer's account details before it goes on."""

    TOPIC = "transaction.refund_needs_attention.v1"
    reference: str

    def change(self, transaction: TransactionState) -> None:
        """An operator has to act."""
        transaction.update_refund(self.reference, status=RefundStatus.NEEDS_ATTENTION)


class RefundProcessed(TransactionMoneyEvent):
    """The buyer has the money back."""

    TOPIC = "transaction.refund_processed.v1"
    reference: str

    def change(self, transaction: TransactionState) -> None:
        """Nothing of it is owed any more."""
        super().change(transaction)
        transaction.update_refund(self.reference, status=RefundStatus.PROCESSED)


class RefundFailed(TransactionMoneyEvent):
    """The processor will not send it; the buyer is still owed and is paid by a transfer instead."""

    TOPIC = "transaction.refund_failed.v1"
    reference: str
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """The amount is payable."""
        super().change(transaction)
        transaction.update_refund(
            self.reference, status=RefundStatus.FAILED, failure=self.reason, waits_for_balance=False
        )


class FailedRefundSent(TransactionMoneyEvent):
    """The processor paid a refund that it had called refused or failed.

    What is still owed is paid with it; `amount_minor` the buyer has twice, at our loss: by a transfer that was to pay
    it instead, or by a chargeback.
    """

    TOPIC = "transaction.failed_refund_sent.v1"
    reference: str
    amount_minor: int

    def change(self, transaction: TransactionState) -> None:
        """It goes on as if it had not failed; a transfer that comes back is not owed again."""
        super().change(transaction)
        refund = transaction.refunds[self.reference]
        transfer = transaction.payouts.get(refund.paid_by or "")
        by_transfer = 0 if transfer is None else min(self.amount_minor, transfer.amount_minor)
        transaction.paid_twice_minor[PayoutPurpose.REFUND] += by_transfer
        if refund.is_of_price:
            transaction.sent_twice_minor += self.amount_minor - by_transfer
        transaction.update_refund(self.reference, status=RefundStatus.APPROVED, failure=None)


ACCEPTED = frozenset({RefundStatus.SUBMITTED, RefundStatus.PROCESSING, RefundStatus.NEEDS_ATTENTION})


class RefundTrack(CoolingTrack):
    """Recording what the processor says of refunds."""

    def record_refund(self, report: RefundReport) -> None:
        """Apply what the processor says, whatever the order and however often; raise `UnknownReference`."""
        self.require_system()
        self.apply_refund(report)

    def apply_refund(self, report: RefundReport) -> None:
        """The same, whoever acts: he has had the processor asked."""
        refund = self.refunds.get(report.reference)
        if refund is None:
            raise UnknownReference
        if refund.status is RefundStatus.FAILED and report.status is ProcessorRefundStatus.PROCESSED:
            self._note_sent_after_all(refund)
            refund = self.refunds[refund.reference]
        if refund.status.is_open:
            self._apply_to_open(refund, report)
        self._note_resolved_doubt(self.refunds[refund.reference])

    def _apply_to_open(self, refund: Refund, report: RefundReport) -> None:
        if report.status is ProcessorRefundStatus.UNCERTAIN:
            self._note_uncertain_refund(refund, report)
        elif report.status is ProcessorRefundStatus.NOT_COVERED:
            self._note_waiting_refund(refund)
        elif report.status is ProcessorRefundStatus.REFUSED:
            self._note_refused_refund(refund, report)
        else:
            self._note_accepted_refund(refund, report)
            self._note_refund_progress(self.refunds[refund.reference], report)

    def owed_of(self, refund: Refund) -> int:
        """Return how much could pay a refund that will not be sent; in another currency nothing else can pay it."""
        is_own = refund.currency is self.price.currency
        return self.payable_minor(PayoutPurpose.REFUND) if is_own else refund.amount_minor - refund.taken_minor

    def refunds_in(self, payout: Payout) -> tuple[Refund, ...]:
        """Return the refunds that had failed and that a transfer is to pay."""
        own = (refund for refund in self.refunds.values() if refund.currency is self.price.currency)
        return tuple(refund for refund in own if refund.paid_by == payout.reference)

    def is_refunded_instead(self, payout: Payout) -> bool:
        """True when a refund was paid after all that this transfer was to pay: it must not be sent any more."""
        return any(not refund.will_not_be_sent for refund in self.refunds_in(payout))

    def _note_sent_after_all(self, refund: Refund) -> None:
        """A transfer that was to pay it and was not sent ends first; what it was to pay besides, another one pays."""
        requested = [payout for payout in self.payouts.values() if payout.status is PayoutStatus.REQUESTED]
        unsent = [payout for payout in requested if refund in self.refunds_in(payout)]
        for payout in unsent:
            self.end_unsent(payout, REFUND_PAID)
        self._record_sent_after_all(refund)
        self.pay_the_rest_of(unsent)

    def pay_the_rest_of(self, ended: Iterable[Payout]) -> None:
        """What transfers that ended unsent were to pay besides, another one pays.

        Not at once: if a crash has hidden that one of them was sent, the processor may not know it yet.
        """
        retry_at = self.now + UNKNOWN_AT_MOST
        for payout in ended:
            if self.payable_minor(payout.purpose) > 0:
                self.record(PayoutRetryScheduled, reference=payout.reference, retry_at=retry_at)

    def _record_sent_after_all(self, refund: Refund) -> None:
        missing = max(0, refund.amount_minor - self.owed_of(refund))
        self.record(
            FailedRefundSent,
            reference=refund.reference,
            amount_minor=missing,
            currency=refund.currency,
            postings=journal(debit(Account.LOSSES, missing), credit(Account.REFUND_DUE, missing)),
        )

    def _note_uncertain_refund(self, refund: Refund, report: RefundReport) -> None:
        """However often it is asked, only the beginning is news, and what a person has to look at."""
        needs_a_look = report.reason in NEEDS_A_LOOK and report.reason != refund.doubt
        is_new = refund.status is RefundStatus.APPROVED or refund.waits_for_balance
        if is_new or (needs_a_look and refund.status is RefundStatus.UNCERTAIN):
            self.record(RefundUncertain, reference=refund.reference, error=report.reason or "no answer")

    def _note_resolved_doubt(self, refund: Refund) -> None:
        """Staff were told to look, so they are told that they need not any more."""
        is_settled = refund.status is not RefundStatus.UNCERTAIN or refund.waits_for_balance
        if is_settled and refund.doubt in NEEDS_A_LOOK:
            self.record(RefundDoubtResolved, reference=refund.reference, doubt=refund.doubt)

    def _note_waiting_refund(self, refund: Refund) -> None:
        """However often it is tried, only the beginning is news."""
        if refund.status not in ACCEPTED and not refund.waits_for_balance:
            self.record(
                RefundWaitsForBalance,
                reference=refund.reference,
                amount_minor=refund.amount_minor,
                currency=refund.currency,
            )

    def _note_refused_refund(self, refund: Refund, report: RefundReport) -> None:
        if refund.status not in ACCEPTED:
            self._note_failed_refund(refund, report.reason or "refused", accepted=False)

    def _note_accepted_refund(self, refund: Refund, report: RefundReport) -> None:
        if refund.status in ACCEPTED:
            return
        self.record(
            RefundSubmitted,
            reference=refund.reference,
            processor_refund_id=report.processor_refund_id,
            source=report.source,
            currency=refund.currency,
            postings=journal(
                debit(Account.REFUNDS_IN_TRANSIT, refund.amount_minor), credit(report.source, refund.amount_minor)
            ),
        )

    def _note_refund_progress(self, refund: Refund, report: RefundReport) -> None:
        match report.status:
            case ProcessorRefundStatus.PROCESSING if refund.status is not RefundStatus.PROCESSING:
                self.record(RefundProcessing, reference=refund.reference)
            case ProcessorRefundStatus.NEEDS_ATTENTION if refund.status is not RefundStatus.NEEDS_ATTENTION:
                self.record(RefundNeedsAttention, reference=refund.reference)
            case ProcessorRefundStatus.PROCESSED:
                self._note_processed_refund(refund)
            case ProcessorRefundStatus.FAILED:
                self._note_failed_refund(refund, report.reason or "failed", accepted=True)
            case _:
                pass

    def _note_processed_refund(self, refund: Refund) -> None:
        amount = refund.amount_minor
        self.record(
            RefundProcessed,
            reference=refund.reference,
            currency=refund.currency,
            postings=journal(debit(Account.REFUND_DUE, amount), credit(Account.REFUNDS_IN_TRANSIT, amount)),
        )

    def _note_failed_refund(self, refund: Refund, reason: str, *, accepted: bool) -> None:
        amount = refund.amount_minor if accepted else 0
        self.record(
            RefundFailed,
            reference=refund.reference,
            reason=reason,
            currency=refund.currency,
            postings=journal(
                debit(refund.source or Account.BALANCE, amount), credit(Account.REFUNDS_IN_TRANSIT, amount)
            ),
        )
