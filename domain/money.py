"""Money in integer minor units (kobo, pesewas, cents). Never a float."""

from dataclasses import dataclass
from enum import StrEnum

from domain.errors import Invalid

MAX_AMOUNT_MINOR = 10**15
BASIS_POINTS = 10_000


class Currency(StrEnum):
    """Currencies that Paystack charges, each of 100 minor units; it pays out all of them but US dollars."""

    NGN = "NGN"
    GHS = "GHS"
    KES = "KES"
    ZAR = "ZAR"
    USD = "USD"


PAYABLE = frozenset(Currency) - {Currency.USD}
"""The currencies of prices and payout accounts; in any other one money may come, and can only go back."""


class AmountOutOfRange(Invalid):
    """An amount is a whole number of minor units from 0 to 10^15."""

    code = "amount_out_of_range"


class AmountNotPositive(Invalid):
    """This amount must be greater than zero."""

    code = "amount_not_positive"


class CurrencyMismatch(Invalid):
    """Money in another currency than that of these books; nothing is exchanged here."""

    code = "currency_mismatch"


class CurrencyUnsupported(Invalid):
    """Only NGN, GHS, KES and ZAR are supported: Paystack cannot pay out any other currency, USD included."""

    code = "currency_unsupported"


def parse_currency(code: str) -> Currency:
    """Return the currency of a price with this ISO 4217 code; raise `CurrencyUnsupported` for any other text."""
    return require_payable(parse_charged_currency(code))


def parse_charged_currency(code: str) -> Currency:
    """Return the currency of money that came, US dollars too; raise `CurrencyUnsupported` for any other text."""
    try:
        return Currency(code)
    except ValueError:
        raise CurrencyUnsupported from None


def require_payable(currency: Currency) -> Currency:
    """Return the currency; raise `CurrencyUnsupported` for one that could never be paid out."""
    if currency not in PAYABLE:
        raise CurrencyUnsupported
    return currency


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount of one currency, from 0 to 10^15 minor units; a debt is a posting, not negative money."""

    amount_minor: int
    currency: Currency

    def __post_init__(self) -> None:
        """Refuse what is not a whole number in range; `True` is not 1 here."""
        if type(self.amount_minor) is not int or not 0 <= self.amount_minor <= MAX_AMOUNT_MINOR:
            raise AmountOutOfRange


def share(amount_minor: int, basis_points: int) -> int:
    """Return that share of an amount in minor units, rounded down: the remainder stays with whoever is charged."""
    return amount_minor * basis_points // BASIS_POINTS
