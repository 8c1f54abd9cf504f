"""Runs of reconciliation over HTTP: a list with a cursor, and each with its differences."""

import asyncio
import os
from datetime import UTC, datetime

from database.connect import open_pool
from domain.ids import uuid7
from domain.reconciliation import AccountFigure, Difference, DifferenceKind, RecordReconciliation
from eventstore.appender import Appender
from eventstore.escrow import Escrow
from reconciliation.run import id_of, request_of
from tests.api.running import Installation

AT = datetime(2026, 11, 23, tzinfo=UTC)
FIGURE = AccountFigure("paystack:balance", "KES", 900, 1_000, 60, 40)
FOUND = Difference(
    kind=DifferenceKind.FEE,
    subject="charge",
    reference="ch-1",
    processor_id="77",
    transaction_id=None,
    currency="KES",
    ledger_minor=15,
    processor_minor=20,
    sentence="Paystack's fee on the charge is 20 and 15 is booked.",
    command='escrow ledger record charge_fee_charged --currency KES --amount-minor 5 --evidence "charge 77"',
)


async def record(dsn: str, *keys: str) -> None:
    async with open_pool(dsn, max_size=2, autocommit=True) as pool, Appender(dsn) as appender:
        escrow = Escrow(pool, appender, lambda: AT, lambda: uuid7(AT, os.urandom))
        for number, key in enumerate(keys):
            command = RecordReconciliation(
                since=AT,
                until=AT,
                position=1,
                matched=number,
                pending=0,
                figures=(FIGURE,),
                differences=(FOUND,) * number,
            )
            await escrow.execute(id_of(key), command, request_of(key))


def test_auditors_read_the_runs_and_what_each_found(installation: Installation) -> None:
    auditor = installation.people["auditor"]
    asyncio.run(record(installation.app_dsn, "one", "two"))
    at_head = {"Wait-For-Position": str(installation.head())}
    page = auditor.get("/api/v1/audit/reconciliations?limit=1", **at_head).json()
    assert [run["id"] for run in page["items"]] == [str(id_of("two"))]
    older = auditor.get(f"/api/v1/audit/reconciliations?limit=1&cursor={page['next_cursor']}").json()
    assert [(run["differences"], run["counts"]) for run in older["items"]] == [(0, {})]
    run = auditor.get(f"/api/v1/audit/reconciliations/{id_of('two')}").json()
    assert run["counts"] == {"fee": 1}
    assert run["figures"] == [FIGURE._asdict()]
    (listed,) = run["listed"]
    assert (listed["kind"], listed["ledger_minor"], listed["processor_minor"]) == ("fee", 15, 20)
    assert listed["command"] == FOUND.command
