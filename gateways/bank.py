"""Banks and the names behind account numbers, as a payment processor knows them."""

from dataclasses import dataclass, field
from typing import Protocol

from domain.money import Currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """A bank, or another place that holds accounts; `code` goes into a payout account, `processor_id` into a refund."""

    processor_id: int
    code: str
    name: str
    type: str | None
    currency: str | None
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whom an account number belongs to; personal data."""

    account_name: str = field(repr=False)
    account_number: str = field(repr=False)
    bank_id: int | None


class BankDirectory(Protocol):
    """The processor's list of banks; names are resolved for NGN and GHS accounts only."""

    async def list_banks(self, currency: Currency, /) -> tuple[Bank, ...]:
        """Return every bank for a currency; its `type` is nuban, ghipss, mobile_money, kepss or basa."""
        ...

    async def resolve_account(self, account_number: str, bank_code: str) -> Holder:
        """Return whose account it is; `GatewayRefused` when the bank knows none."""
        ...
