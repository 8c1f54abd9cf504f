"""What the stand-in charges. Charge fees as Paystack's support pages give them; transfer fees are only plausible."""

from dataclasses import dataclass, field

BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Fee:
    """A share of the amount in basis points, rounded up to the minor unit, and a fixed part in minor units."""

    basis_points: int = 0
    flat_minor: int = 0

    def of(self, amount_minor: int) -> int:
        """The fee for an amount; never more than the amount."""
        share = -(-amount_minor * self.basis_points // BASIS_POINTS)
        return min(share + self.flat_minor, amount_minor)


LOCAL_CARD = {
    "NGN": Fee(150, 100_00),
    "GHS": Fee(195),
    "KES": Fee(290),
    "ZAR": Fee(290, 1_00),
    "USD": Fee(390),
}
MOBILE_MONEY = {"KES": Fee(150), "GHS": Fee(195)}
TRANSFER = {"NGN": Fee(0, 25_00), "GHS": Fee(0, 8_00), "KES": Fee(0, 20_00), "ZAR": Fee(0, 3_00)}


@dataclass(frozen=True, slots=True)
class FeeTable:
    """Fees by currency; a currency that is missing costs nothing."""

    local_card: dict[str, Fee] = field(default_factory=lambda: dict(LOCAL_CARD))
    mobile_money: dict[str, Fee] = field(default_factory=lambda: dict(MOBILE_MONEY))
    transfer: dict[str, Fee] = field(default_factory=lambda: dict(TRANSFER))

    def charge_minor(self, currency: str, channel: str, amount_minor: int) -> int:
        """The fee kept from a charge; without a figure for mobile money the card's holds."""
        return self._of_channel(currency, channel).of(amount_minor)

    def with_fee_minor(self, currency: str, channel: str, requested_minor: int) -> int:
        """The least that a customer who bears the fee must pay so that no less than the requested amount is left."""
        fee = self._of_channel(currency, channel)
        kept = BASIS_POINTS - fee.basis_points
        return -(-(requested_minor + fee.flat_minor) * BASIS_POINTS // kept)

    def transfer_minor(self, currency: str) -> int:
        """The fee on top of a transfer."""
        return self.transfer.get(currency, Fee()).flat_minor

    def _of_channel(self, currency: str, channel: str) -> Fee:
        cards = self.local_card.get(currency, Fee())
        return self.mobile_money.get(currency, cards) if channel == "mobile_money" else cards
