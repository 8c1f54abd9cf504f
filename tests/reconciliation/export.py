"""The stand-in's export, read list by list."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import httpx

from gateways.bookkeeping import BalanceCause, BalanceEntry, Settlement, SettlementStatus
from gateways.payment import Balance, Charge, Refund, Transfer
from gateways.paystack.charge import parse_charge
from gateways.paystack.payload import moment
from gateways.paystack.refund import parse_refund
from gateways.paystack.transfer import parse_transfer

T = TypeVar("T")


class Export:
    def __init__(self, base_url: str, secret: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url, trust_env=False, headers={"Authorization": f"Bearer {secret}"}
        )

    async def _list(self, path: str, parse: Callable[[Any], T], **query: str) -> tuple[T, ...]:
        found: list[T] = []
        for page in range(1, 200):
            answer = await self._http.get(path, params={"perPage": 100, "page": page, **query})
            assert answer.status_code == 200, answer.text
            lines = answer.json()["data"]
            found += [parse(line) for line in lines]
            if len(lines) < 100:
                break
        return tuple(found)

    async def list_charges(self, *, since: datetime, until: datetime | None = None) -> tuple[Charge, ...]:
        return await self._list("/transaction", parse_charge)

    async def list_transfers(self, *, since: datetime, until: datetime | None = None) -> tuple[Transfer, ...]:
        return await self._list("/transfer", parse_transfer)

    async def list_refunds(self, *, since: datetime, until: datetime | None = None) -> tuple[Refund, ...]:
        return await self._list("/refund", parse_refund)

    async def list_balance_entries(self, *, since: datetime, until: datetime | None = None) -> tuple[BalanceEntry, ...]:
        return await self._list("/balance/ledger", _entry)

    async def list_settlements(self, *, since: datetime, until: datetime | None = None) -> tuple[Settlement, ...]:
        return await self._list("/settlement", _settlement)

    async def list_settled_charges(self, settlement_id: int) -> tuple[Charge, ...]:
        return await self._list(f"/settlement/{settlement_id}/transactions", parse_charge)

    async def balance(self) -> tuple[Balance, ...]:
        lines = (await self._http.get("/balance")).json()["data"]
        return tuple(Balance(currency=line["currency"], balance_minor=line["balance"]) for line in lines)


def _entry(line: Any) -> BalanceEntry:
    return BalanceEntry(
        processor_id=line["id"],
        currency=line["currency"],
        difference_minor=line["difference"],
        balance_minor=line["balance"],
        reason=line["reason"],
        cause=BalanceCause(line["model_responsible"]),
        cause_id=line["model_row"],
        created_at=moment(line, "createdAt"),
    )


def _settlement(line: Any) -> Settlement:
    return Settlement(
        processor_id=line["id"],
        status=SettlementStatus(line["status"]),
        currency=line["currency"],
        total_minor=line["total_amount"],
        effective_minor=line["effective_amount"],
        fees_minor=line["total_fees"],
        deductions_minor=line["deductions"] or 0,
        settled_at=moment(line, "settlement_date"),
    )
