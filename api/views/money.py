"""Money as it comes in and goes out: a whole number of minor units and a currency."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.config import JsonDict

from api.http.body import Body
from domain.money import MAX_AMOUNT_MINOR, PAYABLE, Currency, Money, parse_currency

EXAMPLE: JsonDict = {"example": {"amount_minor": 2_500_000, "currency": "NGN"}}


def _read_currency(text: object) -> Currency:
    if not isinstance(text, str):
        raise ValueError("a currency is a text")
    return parse_currency(text)


AmountMinor = Annotated[int, Field(strict=True, ge=1, le=MAX_AMOUNT_MINOR)]
CurrencyCode = Annotated[
    Currency,
    BeforeValidator(_read_currency),
    WithJsonSchema({"type": "string", "enum": [currency.value for currency in Currency if currency in PAYABLE]}),
]


class MoneyBody(Body):
    """An amount in minor units (kobo, pesewas, cents)."""

    amount_minor: AmountMinor
    currency: CurrencyCode

    def to_money(self) -> Money:
        """Return it as the domain has it."""
        return Money(self.amount_minor, self.currency)


class MoneyView(BaseModel):
    """An amount in minor units (kobo, pesewas, cents)."""

    model_config = ConfigDict(json_schema_extra=EXAMPLE)

    amount_minor: int
    currency: str

    @classmethod
    def of(cls, money: Money) -> "MoneyView":
        """Show an amount."""
        return cls(amount_minor=money.amount_minor, currency=money.currency.value)
