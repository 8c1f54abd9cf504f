"""The lists that reconciliation reads: charges, transfers, the balance ledger and settlements, every page of each.

https://paystack.com/docs/api/ under "Transactions", "Transfers", "Transfers Control" and "Settlements".
"""

from datetime import datetime

from gateways.bookkeeping import BalanceCause, BalanceEntry, Settlement, SettlementStatus
from gateways.payment import Charge, Transfer
from gateways.paystack.charge import parse_charge
from gateways.paystack.http import PaystackHttp
from gateways.paystack.paging import list_all, window
from gateways.paystack.payload import (
    JsonObject,
    integer,
    moment,
    require_currency,
    require_integer,
    text,
    word,
)
from gateways.paystack.transfer import parse_transfer


async def list_charges(http: PaystackHttp, since: datetime) -> tuple[Charge, ...]:
    """GET /transaction."""
    return tuple((await list_all(http, "/transaction", parse_charge, window(since))).values())


async def list_transfers(http: PaystackHttp, since: datetime) -> tuple[Transfer, ...]:
    """GET /transfer."""
    return tuple((await list_all(http, "/transfer", parse_transfer, window(since))).values())


async def list_balance_entries(http: PaystackHttp, since: datetime) -> tuple[BalanceEntry, ...]:
    """GET /balance/ledger, which comes newest first."""
    found = await list_all(http, "/balance/ledger", parse_entry, window(since))
    return tuple(entry for _, entry in sorted(found.items()))


async def list_settlements(http: PaystackHttp, since: datetime) -> tuple[Settlement, ...]:
    """GET /settlement."""
    return tuple((await list_all(http, "/settlement", parse_settlement, window(since))).values())


async def list_settled_charges(http: PaystackHttp, settlement_id: int) -> tuple[Charge, ...]:
    """GET /settlement/{id}/transactions."""
    return tuple((await list_all(http, f"/settlement/{settlement_id}/transactions", parse_charge)).values())


def parse_entry(data: JsonObject) -> BalanceEntry:
    """Read a line of the balance ledger; `model_row` is the id of the object that moved the balance."""
    return BalanceEntry(
        processor_id=require_integer(data, "id"),
        currency=require_currency(data),
        difference_minor=require_integer(data, "difference"),
        balance_minor=require_integer(data, "balance"),
        reason=text(data, "reason"),
        cause=word(BalanceCause, data.get("model_responsible"), BalanceCause.UNKNOWN),
        cause_id=integer(data, "model_row"),
        created_at=moment(data, "createdAt", "created_at"),
    )


def parse_settlement(data: JsonObject) -> Settlement:
    """Read a settlement; deductions are null where there are none, and `total_amount` has lost its fees in samples."""
    return Settlement(
        processor_id=require_integer(data, "id"),
        status=word(SettlementStatus, data.get("status"), SettlementStatus.UNKNOWN),
        currency=require_currency(data),
        total_minor=require_integer(data, "total_processed", "total_amount"),
        effective_minor=require_integer(data, "effective_amount"),
        fees_minor=integer(data, "total_fees") or 0,
        deductions_minor=integer(data, "deductions") or 0,
        settled_at=moment(data, "settlement_date", "createdAt"),
    )
