"""What the stand-in would otherwise search for among all it has ever seen; rebuilt from the store at the start."""

from gateways.paystack.sim.records import ChargeRecord, RefundRecord
from gateways.paystack.sim.store import Store


class Indexes:
    """Charges by their checkout, what waits for a payout, and what the next payout must keep back."""

    def __init__(self, store: Store) -> None:
        """Read everything once. What the journal has seen settled is settled, whatever its record says."""
        settled = {line.object_id for line in store.journal.all() if line.kind == "settlement"}
        self.checkouts: dict[str, ChargeRecord] = {}
        self._unsettled: dict[str, ChargeRecord] = {}
        self._undeducted: dict[int, RefundRecord] = {}
        for charge in store.charges.all():
            self.checkouts[charge.access_code] = charge
            if charge.paid_at and charge.id not in settled:
                self.paid(charge)
        for refund in store.refunds.all():
            self.taken(refund)

    def paid(self, charge: ChargeRecord) -> None:
        """It waits for its payout."""
        self._unsettled[charge.reference] = charge

    def settled(self, charge: ChargeRecord) -> None:
        """It waits no longer."""
        self._unsettled.pop(charge.reference, None)

    def taken(self, refund: RefundRecord) -> None:
        """Remember or forget a refund, as there is something left to keep back for it or not."""
        if refund.pocket == "uncleared" and refund.status != "failed" and refund.deducted_minor < refund.amount_minor:
            self._undeducted[refund.id] = refund
        else:
            self._undeducted.pop(refund.id, None)

    def unsettled(self, currency: str) -> list[ChargeRecord]:
        """What waits for a payout in this currency, in the order in which it was paid."""
        return [charge for charge in self._unsettled.values() if charge.paid_currency == currency]

    def undeducted(self, currency: str) -> list[RefundRecord]:
        """What the next payout in this currency keeps back, oldest first."""
        return [refund for refund in self._undeducted.values() if refund.currency == currency]
