"""What a bank's dispute stops: stray money does not go back to its payer, who would have it twice."""

from domain.transaction.records import PayoutPurpose, Receipt, Refund
from domain.transaction.vault import VaultTrack


class StrayTrack(VaultTrack):
    """Knowing which stray money can go back, and what an open dispute keeps from being paid."""

    @property
    def returnable_receipts(self) -> tuple[Receipt, ...]:
        """The stray money that can go back now: what the payer's bank disputes waits until that is decided."""
        disputed = self._disputed_charges()
        return tuple(receipt for receipt in self.suspense.values() if receipt.processor_id not in disputed)

    def is_disputed(self, refund: Refund) -> bool:
        """True for the return of stray money that the payer's bank disputes: he would have it twice."""
        return not refund.is_of_price and refund.charge_id in self._disputed_charges()

    def _disputed_charges(self) -> set[str | None]:
        foreign = {self.foreign_charges.get(number) for number, is_open in self.foreign_chargebacks.items() if is_open}
        return foreign | {dispute.charge_id for dispute in self.open_disputes}

    def is_frozen(self, purpose: PayoutPurpose) -> bool:
        """Return whether an open dispute keeps this from being paid: to the seller, or stray money to its payer."""
        if purpose is PayoutPurpose.REFUND:
            unsent = {payout.reference for payout in self.payouts.values() if payout.status.is_open}
            own = (refund for refund in self.refunds.values() if refund.currency is self.price.currency)
            return any(self.is_disputed(r) for r in own if r.is_unpaid or r.paid_by in unsent)
        return purpose is PayoutPurpose.SELLER and self.has_open_dispute
