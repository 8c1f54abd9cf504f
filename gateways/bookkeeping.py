"""What reconciliation asks of a payment processor: every line of its books, completely or not at all.

Amounts are integer minor units, moments aware UTC, currencies text in capitals.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateways.payment import Balance, Charge, Refund, Transfer


class BalanceCause(StrEnum):
    """What kind of object moved the balance; `UNKNOWN` is a word we have not met."""

    CHARGE = "Transaction"
    TRANSFER = "Transfer"
    REFUND = "Refund"
    SETTLEMENT = "Settlement"
    DISPUTE = "Dispute"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceEntry:
    """One line of the balance ledger: `difference_minor` is signed, `balance_minor` what was there after it.

    `cause_id` is the processor's id of the object of that kind which moved the balance.
    """

    processor_id: int
    currency: str
    difference_minor: int
    balance_minor: int
    reason: str | None
    cause: BalanceCause
    cause_id: int | None
    created_at: datetime | None


class SettlementStatus(StrEnum):
    """Where a settlement stands; `UNKNOWN` is a word we have not met."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Money paid out to the merchant: `effective_minor` = `total_minor` - `fees_minor` - `deductions_minor`."""

    processor_id: int
    status: SettlementStatus
    currency: str
    total_minor: int
    effective_minor: int
    fees_minor: int
    deductions_minor: int
    settled_at: datetime | None


class Bookkeeping(Protocol):
    """The books of a payment processor; each list raises `GatewayUncertain` rather than leave anything out."""

    async def list_charges(self, *, since: datetime) -> tuple[Charge, ...]:
        """Return every charge created since then, in whatever status."""
        ...

    async def list_transfers(self, *, since: datetime) -> tuple[Transfer, ...]:
        """Return every transfer created since then, in whatever status."""
        ...

    async def list_refunds(self, *, since: datetime) -> tuple[Refund, ...]:
        """Return every refund created since then."""
        ...

    async def list_balance_entries(self, *, since: datetime) -> tuple[BalanceEntry, ...]:
        """Return every movement of the balances since then, oldest first."""
        ...

    async def list_settlements(self, *, since: datetime) -> tuple[Settlement, ...]:
        """Return every settlement since then."""
        ...

    async def list_settled_charges(self, settlement_id: int) -> tuple[Charge, ...]:
        """Return the charges that a settlement paid out."""
        ...

    async def balance(self) -> tuple[Balance, ...]:
        """Return the spendable balance of each currency."""
        ...
