"""Chargebacks of money that was never the price: a second charge, or what was paid too much.

It comes from where it waits for its return to the payer; the sale's own money stays where it is.
"""

from domain.journal import Account, credit, debit, journal
from domain.money import Currency
from domain.transaction.chargeback_report import ChargebackReport
from domain.transaction.contested import ContestedTrack, contest
from domain.transaction.event import TransactionMoneyEvent
from domain.transaction.payment import ConfirmedCharge
from domain.transaction.records import PayoutPurpose, Refund, RefundStatus
from domain.transaction.state import TransactionState


class StrayChargebackLost(TransactionMoneyEvent):
    """The processor took back stray money for the buyer's bank.

    It comes from the receipt in suspense, then from returns that were not sent; what has gone back already is our loss,
    and so, until it has failed, is what is on its way back.
    """

    TOPIC = "transaction.stray_chargeback_lost.v1"
    processor_dispute_id: str
    charge_id: str
    amount_minor: int
    cancelled_refunds: tuple[str, ...]
    covered_refunds: tuple[str, ...]

    def change(self, transaction: TransactionState) -> None:
        """There is less to return; of a charge that is not known yet, what comes later covers the loss."""
        super().change(transaction)
        parts = {line.account: line.amount_minor for line in self.postings}
        if Account.UNMATCHED_RECEIPTS in parts:
            transaction.shrink_receipt(self.charge_id, parts[Account.UNMATCHED_RECEIPTS])
        if self.currency is not transaction.price.currency:
            transaction.foreign_chargebacks[self.processor_dispute_id] = False
        if self.charge_id not in transaction.seen_charges:
            transaction.uncovered_stray_minor[self.charge_id] += parts[Account.LOSSES]
        for reference in self.cancelled_refunds:
            transaction.update_refund(reference, status=RefundStatus.CANCELLED)
        for reference in self.covered_refunds:
            transaction.update_refund(reference, paid_by=self.processor_dispute_id)
        rest = parts.get(Account.REFUND_DUE, 0)
        for reference in (*self.cancelled_refunds, *self.covered_refunds):
            taken = min(rest, transaction.refunds[reference].amount_minor)
            transaction.update_refund(reference, taken_minor=taken)
            rest -= taken
        returns = (refund for refund in transaction.refunds.values() if refund.charge_id == self.charge_id)
        contest(transaction, self.processor_dispute_id, returns, self.postings)


class StrayChargebackCovered(TransactionMoneyEvent):
    """The stray charge that a chargeback took back became known only after it: its money covers what we had lost."""

    TOPIC = "transaction.stray_chargeback_covered.v1"
    charge_id: str
    amount_minor: int

    def change(self, transaction: TransactionState) -> None:
        """It is as if the charge had come first."""
        super().change(transaction)
        transaction.uncovered_stray_minor[self.charge_id] -= self.amount_minor
        transaction.shrink_receipt(self.charge_id, self.amount_minor)


class StrayChargebackTrack(ContestedTrack):
    """Booking what a chargeback took of stray money."""

    def record_charge(self, charge: ConfirmedCharge) -> None:
        """Record a charge as `PaymentTrack` does; a stray one that was charged back already covers that first."""
        super().record_charge(charge)
        receipt = self.suspense.get(charge.processor_id)
        amount = min(self.uncovered_stray_minor[charge.processor_id], receipt.amount_minor if receipt else 0)
        if receipt is not None and receipt.currency is self.price.currency and amount > 0:
            self.record(
                StrayChargebackCovered,
                charge_id=charge.processor_id,
                amount_minor=amount,
                currency=self.price.currency,
                postings=journal(
                    debit(Account.UNMATCHED_RECEIPTS, amount, receipt.reference), credit(Account.LOSSES, amount)
                ),
            )

    def knows_charge_of(self, report: ChargebackReport) -> bool:
        """True once it is clear what a chargeback took: the price was paid, or its charge is known for stray money."""
        is_stray = bool(self.seen_charges) if report.charge_id is None else report.charge_id in self.seen_charges
        return is_stray or self.processor_charge_id is not None

    def stray_part_minor(self, report: ChargebackReport) -> int:
        """Return how much of a chargeback, whose charge is known, is about money that is not the price.

        Of a charge that was too much, the price is what is taken back first, as far as it has not gone back yet.
        """
        if report.charge_id is None or report.charge_id == self.processor_charge_id:
            is_overpaid = report.charge_id in self.seen_charges
            of_price = self.refundable_of_price_minor + self.unsent_refunds_minor
            return max(0, report.amount_minor - of_price) if is_overpaid else 0
        return report.amount_minor

    def record_stray_loss(self, report: ChargebackReport, amount_minor: int) -> None:
        """Take from receipt and returns of the charge what a chargeback took; what is missing there is our loss."""
        ended = self.end_unsent_transfers(self._returns_of(report.charge_id))
        receipt = None if report.charge_id is None else self.suspense.get(report.charge_id)
        from_receipt = 0 if receipt is None else min(amount_minor, receipt.amount_minor)
        returns = self._unsent_returns(report.charge_id)
        from_returns = min(amount_minor - from_receipt, sum(refund.amount_minor for refund in returns))
        self.record(
            StrayChargebackLost,
            processor_dispute_id=report.processor_dispute_id,
            charge_id=report.charge_id,
            amount_minor=amount_minor,
            cancelled_refunds=_references(returns, RefundStatus.APPROVED) if from_returns else (),
            covered_refunds=_references(returns, RefundStatus.FAILED) if from_returns else (),
            currency=self.currency_of_stray(report.charge_id) or self.price.currency,
            postings=journal(
                debit(Account.UNMATCHED_RECEIPTS, from_receipt, receipt.reference if receipt else ""),
                debit(Account.REFUND_DUE, from_returns),
                debit(Account.LOSSES, amount_minor - from_receipt - from_returns),
                credit(report.source, amount_minor),
            ),
        )
        self.pay_the_rest_of(ended)

    def _unsent_returns(self, charge_id: str | None) -> tuple[Refund, ...]:
        """The returns of stray money of a charge that were not sent, or failed and are not paid by a transfer."""
        returns = self._returns_of(charge_id)
        return tuple(refund for refund in returns if refund.status is RefundStatus.APPROVED or refund.is_unpaid)

    def _returns_of(self, charge_id: str | None) -> tuple[Refund, ...]:
        """Those of one charge, whatever its currency."""
        own = (refund for refund in self.refunds.values() if not refund.is_of_price)
        return tuple(refund for refund in own if refund.charge_id == charge_id)

    def currency_of_stray(self, charge_id: str | None) -> Currency | None:
        """Return the currency of a charge that stray money came by, as far as any of it has been here."""
        receipt = self.suspense.get(charge_id or "")
        known = (receipt, *self._returns_of(charge_id))
        return next((one.currency for one in known if one is not None), None)

    @property
    def unsent_refunds(self) -> tuple[Refund, ...]:
        """The refunds that were ordered and not sent yet, also those of stray money."""
        return tuple(refund for refund in self.refunds.values() if refund.status is RefundStatus.APPROVED)

    @property
    def unsent_refunds_minor(self) -> int:
        """What is owed of this charge and has not been sent; the return of stray money is not part of it."""
        payable = max(0, self.payable_minor(PayoutPurpose.REFUND) - self._unreturned_minor())
        return payable + sum(refund.amount_minor for refund in self.unsent_refunds if refund.is_of_price)

    def _unreturned_minor(self) -> int:
        """What is owed of stray money whose return failed."""
        return sum(refund.amount_minor for refund in self.stray_returns if refund.is_unpaid)

    @property
    def stray_returns(self) -> tuple[Refund, ...]:
        """The returns of money that was never the price, in its currency."""
        own = (refund for refund in self.refunds.values() if refund.currency is self.price.currency)
        return tuple(refund for refund in own if not refund.is_of_price)


def _references(refunds: tuple[Refund, ...], status: RefundStatus) -> tuple[str, ...]:
    return tuple(refund.reference for refund in refunds if refund.status is status)
