"""Chargebacks: the processor's disputes, always accepted, and where the money comes from when one is lost."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.journal import Account, Posting, credit, debit, journal
from domain.transaction.chargeback_answer import AnswerReport
from domain.transaction.chargeback_report import ChargebackOutcome, ChargebackReport, dispute_id_of
from domain.transaction.contested import AFTER_RELEASE, contest
from domain.transaction.dispute import DisputeOpened, DisputeResolved
from domain.transaction.event import TransactionEvent, TransactionMoneyEvent
from domain.transaction.payment import ConfirmedCharge
from domain.transaction.records import (
    Dispute,
    DisputeSource,
    Finding,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from domain.transaction.refund import ProcessorRefundStatus, RefundReport
from domain.transaction.settlement import take
from domain.transaction.state import TransactionState
from domain.transaction.stray_chargeback import StrayChargebackTrack

LOST_UNHEARD = "lost, of a payment that is not recorded here"


class ChargebackLost(TransactionMoneyEvent):
    """The processor took the money back for the buyer's bank.

    It comes from what is held, refunds not yet submitted, what the seller is owed, his reserve, our fee and tax, then
    from the seller up to what he has or has in flight; the rest is our loss. What a refund on its way was to give back
    is taken so too, until it has failed.
    """

    TOPIC = "transaction.chargeback_lost.v1"
    processor_dispute_id: str
    amount_minor: int
    cancelled_refunds: tuple[str, ...]

    def change(self, transaction: TransactionState) -> None:
        """Refunds that were not sent yet have nothing left to send."""
        super().change(transaction)
        transaction.charged_back_minor += self.amount_minor
        from_refunds = (line.amount_minor for line in self.postings if line.account is Account.REFUND_DUE)
        transaction.charged_back_refunds_minor += sum(from_refunds)
        if transaction.funds_held_at is None:
            transaction.uncovered_chargeback_minor += self.amount_minor
        else:
            transaction.payment = PaymentStatus.REVERSED
        for reference in self.cancelled_refunds:
            transaction.update_refund(reference, status=RefundStatus.CANCELLED)
        refunds = (refund for refund in transaction.refunds.values() if refund.is_of_price)
        transaction.contested_from += contest(transaction, self.processor_dispute_id, refunds, self.postings)


class CancelledRefundSent(TransactionMoneyEvent):
    """A refund that a chargeback had cancelled was paid all the same: the buyer has `amount_minor` twice."""

    TOPIC = "transaction.cancelled_refund_sent.v1"
    reference: str
    amount_minor: int

    def change(self, transaction: TransactionState) -> None:
        """It goes on as if it had not been cancelled; what the buyer has twice cannot be refunded once more."""
        super().change(transaction)
        if transaction.refunds[self.reference].is_of_price:
            transaction.sent_twice_minor += self.amount_minor
        transaction.update_refund(self.reference, status=RefundStatus.APPROVED)


class ChargebackCovered(TransactionMoneyEvent):
    """The charge that a chargeback took back became known only after it: its money covers what we had lost.

    It waits in suspense under `processor_id`, or is held where that is None: so it is in logs from before 2026-12, and
    of a chargeback whose charge the processor names in no way. Every other one of the price waits for its charge.
    """

    TOPIC = "transaction.chargeback_covered.v1"
    amount_minor: int
    processor_id: str | None

    def change(self, transaction: TransactionState) -> None:
        """It is as if the charge had come first; a stray charge that is taken back leaves the price as it was."""
        super().change(transaction)
        transaction.uncovered_chargeback_minor -= self.amount_minor
        if self.processor_id is None:
            transaction.payment = PaymentStatus.REVERSED
        else:
            transaction.charged_back_minor -= self.amount_minor
            transaction.shrink_receipt(self.processor_id, self.amount_minor)


class ChargebackChargeNamed(TransactionEvent):
    """The processor says which charge an open chargeback is of, where that was not just the price.

    A remark: what waits of that charge for its return is not sent back meanwhile. It is recorded once more where only
    the number was known at first, and the reference is.
    """

    TOPIC = "transaction.chargeback_charge_named.v1"
    IS_REMARK = True
    dispute_id: UUID
    processor_dispute_id: str
    charge_id: str
    charge_reference: str | None

    def change(self, transaction: TransactionState) -> None:
        """It is of this charge, also when a later answer leaves that out."""
        changes = {"charge_id": self.charge_id, "charge_reference": self.charge_reference}
        transaction.update_dispute(self.dispute_id, **changes)


class ForeignChargebackSeenUnnamed(TransactionEvent):
    """The same as `transaction.foreign_chargeback_seen.v2`, as it was before: without the charge that it is of."""

    TOPIC = "transaction.foreign_chargeback_seen.v1"
    IS_REMARK = True
    processor_dispute_id: str
    outcome: ChargebackOutcome
    amount_minor: int
    currency: str
    due_at: datetime | None

    def change(self, transaction: TransactionState) -> None:
        """It is asked about until it is over."""
        transaction.foreign_chargebacks[self.processor_dispute_id] = self.outcome is ChargebackOutcome.OPEN


class ForeignChargebackSeen(ForeignChargebackSeenUnnamed):
    """The processor disputes money in another currency than the price's, which was never this sale's to hold.

    Nothing is booked here: what it took of a charge that nobody has heard of a person settles with what reconciliation
    finds; what it took of another `StrayChargebackLost` says instead. Once per outcome, and when its charge is named.
    """

    TOPIC = "transaction.foreign_chargeback_seen.v2"
    charge_id: str | None

    def change(self, transaction: TransactionState) -> None:
        """What waits of that charge for its return is not sent back meanwhile."""
        super().change(transaction)
        if self.charge_id is not None:
            transaction.foreign_charges[self.processor_dispute_id] = self.charge_id


class ChargebackTrack(StrayChargebackTrack):
    """Recording the processor's disputes."""

    def apply_refund(self, report: RefundReport) -> None:
        """Apply it as `RefundTrack` does; one that was cancelled but paid all the same is a loss.

        The call to the processor may be under way while the chargeback arrives.
        """
        refund = self.refunds.get(report.reference)
        was_cancelled = refund is not None and refund.status is RefundStatus.CANCELLED
        if refund is not None and was_cancelled and report.status is ProcessorRefundStatus.PROCESSED:
            self._restore(refund)
        super().apply_refund(report)

    def _restore(self, refund: Refund) -> None:
        missing = max(0, refund.amount_minor - self.owed_of(refund))
        lines = self._loss_after_release(missing) if refund.is_of_price else [debit(Account.LOSSES, missing)]
        self.record(
            CancelledRefundSent,
            reference=refund.reference,
            amount_minor=missing,
            currency=refund.currency,
            postings=journal(*lines, credit(Account.REFUND_DUE, missing)),
        )

    def record_charge(self, charge: ConfirmedCharge) -> None:
        """Record a charge as `PaymentTrack` does; what an older log booked as taken back before it came it covers."""
        super().record_charge(charge)
        self._cover()

    def record_chargeback(self, report: ChargebackReport) -> None:
        """Apply what the processor says of its dispute, in any order and however often, in any phase.

        One that was lost of a charge that nobody has heard of stays open, and a person is told, until the charge is
        known: until then nobody can say whether it took the price or money that was never the price.
        """
        self.require_system()
        currency = report.currency or self.currency_of_stray(report.charge_id)
        if currency not in (None, self.price.currency):
            self._record_foreign(replace(report, currency=currency))
            return
        dispute_id = dispute_id_of(self.id, report.processor_dispute_id)
        if dispute_id not in self.disputes:
            self._record_opened(dispute_id, report)
        if report.is_declined:
            self.record_answer(AnswerReport(dispute_id=dispute_id, evidence_refs=report.evidence_refs))
        if self.disputes[dispute_id].is_open:
            self._follow(self.disputes[dispute_id], report)

    def _follow(self, dispute: Dispute, report: ChargebackReport) -> None:
        if report.charge_id in (None, dispute.charge_id):
            reference = dispute.charge_reference or report.charge_reference
            report = replace(report, charge_id=dispute.charge_id, charge_reference=reference)
        if self._is_conclusive(report):
            self._record_decided(dispute.dispute_id, report)
            return
        self._name_charge(dispute, report)
        if report.outcome is ChargebackOutcome.LOST:
            self.escalate_dispute(dispute.dispute_id, LOST_UNHEARD)

    def _name_charge(self, dispute: Dispute, report: ChargebackReport) -> None:
        """Once, and its reference once that is known; nothing waits for its return of a charge that was just the price.

        What waits for its return is found by the number.
        """
        is_just_price = report.charge_id == self.processor_charge_id and report.charge_id not in self.seen_charges
        is_first = dispute.charge_id is None and report.charge_id is not None
        if (is_first and not is_just_price) or dispute.is_completed_by(report.charge_id, report.charge_reference):
            self.record(
                ChargebackChargeNamed,
                dispute_id=dispute.dispute_id,
                processor_dispute_id=report.processor_dispute_id,
                charge_id=report.charge_id,
                charge_reference=report.charge_reference,
            )

    def _is_conclusive(self, report: ChargebackReport) -> bool:
        is_lost = report.outcome is ChargebackOutcome.LOST
        return self.knows_charge_of(report) if is_lost else report.outcome is ChargebackOutcome.WON

    def _record_foreign(self, report: ChargebackReport) -> None:
        number = report.processor_dispute_id
        was_open, known = self.foreign_chargebacks.get(number), self.foreign_charges.get(number)
        report = replace(report, charge_id=known or report.charge_id)
        is_news = report.outcome is not ChargebackOutcome.OPEN or report.charge_id != known
        if was_open is not None and not (was_open and is_news):
            return
        is_stray = report.currency == self.currency_of_stray(report.charge_id)
        if is_stray and report.outcome is ChargebackOutcome.LOST:
            self.record_stray_loss(report, report.amount_minor)
        else:
            self.record(
                ForeignChargebackSeen,
                processor_dispute_id=report.processor_dispute_id,
                outcome=report.outcome,
                amount_minor=report.amount_minor,
                currency=report.currency,
                due_at=report.due_at,
                charge_id=report.charge_id,
            )

    def _record_opened(self, dispute_id: UUID, report: ChargebackReport) -> None:
        self.record(
            DisputeOpened,
            dispute_id=dispute_id,
            source=DisputeSource.PROCESSOR,
            category=report.category,
            statement_id=None,
            statement_sha256=None,
            processor_dispute_id=report.processor_dispute_id,
            amount_minor=report.amount_minor,
            due_at=report.due_at,
        )

    def _record_decided(self, dispute_id: UUID, report: ChargebackReport) -> None:
        lost = report.outcome is ChargebackOutcome.LOST
        stray = self.stray_part_minor(report) if lost else 0
        if stray > 0:
            self.record_stray_loss(report, stray)
        if lost and report.amount_minor > stray:
            self._record_lost(report, report.amount_minor - stray)
        self.record(
            DisputeResolved,
            dispute_id=dispute_id,
            finding=Finding.PROCESSOR_LOST if lost else Finding.PROCESSOR_WON,
            to_buyer_minor=report.amount_minor if lost else 0,
            to_seller_minor=0,
            platform_fee_minor=0,
            compensation_minor=0,
            reason=f"processor: {report.outcome.value}",
        )
        self.resume_clocks()

    def _record_lost(self, report: ChargebackReport, amount_minor: int) -> None:
        ended = self.end_unsent_transfers(refund for refund in self.refunds.values() if refund.is_of_price)
        lines, from_refunds = self._loss_lines(amount_minor)
        unsent = tuple(refund.reference for refund in self.unsent_refunds if refund.is_of_price)
        self.record(
            ChargebackLost,
            processor_dispute_id=report.processor_dispute_id,
            amount_minor=amount_minor,
            cancelled_refunds=unsent if from_refunds else (),
            currency=self.price.currency,
            postings=journal(*lines, credit(report.source, amount_minor)),
        )
        self.pay_the_rest_of(ended)
        self._cover()

    def _cover(self) -> None:
        self._cover_from(self.held_minor, debit(Account.HELD, 1), None)
        for receipt in tuple(self.suspense.values()):
            if receipt.currency is self.price.currency:
                line = debit(Account.UNMATCHED_RECEIPTS, 1, receipt.reference)
                self._cover_from(receipt.amount_minor, line, receipt.processor_id)

    def _cover_from(self, available_minor: int, line: Posting, processor_id: str | None) -> None:
        amount = min(self.uncovered_chargeback_minor, available_minor)
        if amount > 0:
            self.record(
                ChargebackCovered,
                amount_minor=amount,
                processor_id=processor_id,
                currency=self.price.currency,
                postings=journal(line._replace(amount_minor=amount), credit(Account.LOSSES, amount)),
            )

    def _loss_lines(self, amount_minor: int) -> tuple[list[Posting], int]:
        from_held = min(amount_minor, max(0, self.held_minor))
        from_refunds = min(amount_minor - from_held, self.unsent_refunds_minor)
        after_release = self._loss_after_release(amount_minor - from_held - from_refunds)
        return [debit(Account.HELD, from_held), debit(Account.REFUND_DUE, from_refunds), *after_release], from_refunds

    def _loss_after_release(self, amount_minor: int) -> list[Posting]:
        *lines, unpaid = take(self, AFTER_RELEASE, amount_minor, Account.LOSSES, "")
        from_seller = min(unpaid.amount_minor, self._with_seller_minor())
        receivable = debit(Account.SELLER_RECEIVABLE, from_seller, str(self.seller_id))
        return [*lines, receivable, debit(Account.LOSSES, unpaid.amount_minor - from_seller)]

    def _with_seller_minor(self) -> int:
        """What the seller has been paid or will be, has not paid back and does not owe back already.

        What his debts elsewhere have taken here was paid to him, and what his other sales have paid here came back.
        """
        received = self.paid_or_in_flight_minor + self.withheld_minor
        returned = self.recovered_in_cash_minor + self.recovered_elsewhere_minor
        return max(0, received - returned - self.receivable_minor)
