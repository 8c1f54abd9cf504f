"""The lists that reconciliation reads: charges, transfers, the balance ledger and settlements, every page of each.

https://paystack.com/docs/api/ under "Transactions", "Transfers", "Transfers Control" and "Settlements".
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from gateways.bookkeeping import BalanceCause, BalanceEntry, Settlement, SettlementStatus
from gateways.errors import GatewayUncertain
from gateways.payment import Charge, Transfer
from gateways.paystack.charge import parse_charge
from gateways.paystack.http import Params, PaystackHttp
from gateways.paystack.payload import (
    JsonObject,
    integer,
    is_list,
    is_object,
    moment,
    require_currency,
    require_integer,
    text,
    word,
)
from gateways.paystack.transfer import parse_transfer

T = TypeVar("T")
PAGE_SIZE = 100
_MAX_PAGES = 1_000
_EMPTY: JsonObject = {}
_CLOCK_MARGIN = timedelta(hours=1)


async def list_charges(http: PaystackHttp, since: datetime, until: datetime | None) -> tuple[Charge, ...]:
    """GET /transaction."""
    return tuple((await _list(http, "/transaction", parse_charge, since, until)).values())


async def list_transfers(http: PaystackHttp, since: datetime, until: datetime | None) -> tuple[Transfer, ...]:
    """GET /transfer."""
    return tuple((await _list(http, "/transfer", parse_transfer, since, until)).values())


async def list_balance_entries(http: PaystackHttp, since: datetime, until: datetime | None) -> tuple[BalanceEntry, ...]:
    """GET /balance/ledger, which comes newest first."""
    found = await _list(http, "/balance/ledger", parse_entry, since, until)
    return tuple(entry for _, entry in sorted(found.items()))


async def list_settlements(http: PaystackHttp, since: datetime, until: datetime | None) -> tuple[Settlement, ...]:
    """GET /settlement."""
    return tuple((await _list(http, "/settlement", parse_settlement, since, until)).values())


async def list_settled_charges(http: PaystackHttp, settlement_id: int) -> tuple[Charge, ...]:
    """GET /settlement/{id}/transactions."""
    return tuple((await _list(http, f"/settlement/{settlement_id}/transactions", parse_charge)).values())


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
    """Read a settlement; deductions are null where there are none."""
    return Settlement(
        processor_id=require_integer(data, "id"),
        status=word(SettlementStatus, data.get("status"), SettlementStatus.UNKNOWN),
        currency=require_currency(data),
        total_minor=require_integer(data, "total_amount"),
        effective_minor=require_integer(data, "effective_amount"),
        fees_minor=integer(data, "total_fees") or 0,
        deductions_minor=integer(data, "deductions") or 0,
        settled_at=moment(data, "settlement_date", "createdAt"),
    )


async def _list(
    http: PaystackHttp,
    path: str,
    parse: Callable[[JsonObject], T],
    since: datetime | None = None,
    until: datetime | None = None,
) -> dict[int, T]:
    """Read every page, widened by an hour on both sides because the clocks are two.

    Lists come newest first: what is added while we read moves lines to a later page, where they are seen twice, never
    missed. A list that does not end is uncertain.
    """
    found: dict[int, T] = {}
    for page in range(1, _MAX_PAGES + 1):
        lines = (await http.get(path, _query(since, until, page))).get("data")
        if not is_list(lines):
            raise GatewayUncertain(f"what {path} returned is not a list")
        objects = [line if is_object(line) else _EMPTY for line in lines]
        found.update({require_integer(line, "id"): parse(line) for line in objects})
        if len(objects) < PAGE_SIZE:
            return found
    raise GatewayUncertain(f"{path} has more than {_MAX_PAGES} pages")


def _query(since: datetime | None, until: datetime | None, page: int) -> Params:
    query: dict[str, str | int] = {"perPage": PAGE_SIZE, "page": page}
    if since is not None:
        query["from"] = _iso(since - _CLOCK_MARGIN)
    if until is not None:
        query["to"] = _iso(until + _CLOCK_MARGIN)
    return query


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
