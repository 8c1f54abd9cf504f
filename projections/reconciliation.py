"""The `reconciliations` table and the differences that each run listed."""

import json
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from database.connect import Pool
from database.queries import load
from eventstore.converter import JSON, Fields, text_of
from eventstore.log import RecordedEvent
from projections.page import fetch_all, fetch_one
from projections.projection import Change, project
from projections.rows import Rows, Table

SQL = load("projections", "reconciliation.sql")
FIGURE = ("account", "currency", "ledger_minor", "processor_minor", "pending_minor", "listed_minor")


class ReconciliationRow(NamedTuple):
    """A row of `reconciliations`; `figures` are as in the event, `differences` counts all that were found."""

    id: UUID
    position: int
    since: datetime
    until: datetime
    cut_position: int
    matched: int
    pending: int
    differences: int
    counts: dict[str, int]
    figures: list[dict[str, str | int]]
    actor_id: str
    completed_at: datetime


class DifferenceRow(NamedTuple):
    """A row of `reconciliation_differences`; amounts in minor units, None where one side has nothing."""

    reconciliation_id: UUID
    number: int
    kind: str
    subject: str
    reference: str
    processor_id: str | None
    transaction_id: UUID | None
    currency: str
    ledger_minor: int | None
    processor_minor: int | None
    sentence: str
    command: str


RUN = Table(name="reconciliations", key=("id",), columns=ReconciliationRow._fields, is_append_only=True)
DIFFERENCE = Table(
    name="reconciliation_differences",
    key=("reconciliation_id", "number"),
    columns=DifferenceRow._fields,
    is_append_only=True,
)


async def get_reconciliation(pool: Pool, reconciliation_id: UUID) -> ReconciliationRow | None:
    """Return one run, None when there is none."""
    return await fetch_one(pool, ReconciliationRow, SQL.get, {"id": reconciliation_id})


async def list_reconciliations(pool: Pool, *, before: int | None = None, limit: int = 20) -> list[ReconciliationRow]:
    """Return runs, newest first, before a position."""
    return await fetch_all(pool, ReconciliationRow, SQL.list, {"before": before, "limit": limit})


async def list_differences(pool: Pool, reconciliation_id: UUID) -> list[DifferenceRow]:
    """Return what a run listed."""
    return await fetch_all(pool, DifferenceRow, SQL.list_differences, {"id": reconciliation_id})


def complete(event: RecordedEvent, rows: Rows) -> None:
    """A run, and what it listed."""
    data, run_id = event.data, text_of(event.stream_id)
    counts = cast("list[tuple[str, int]]", data["counts"])
    figures = cast("list[list[JSON]]", data["figures"])
    rows.add(
        RUN.name,
        {
            "id": run_id,
            "position": event.position,
            "since": data["since"],
            "until": data["until"],
            "cut_position": data["position"],
            "matched": data["matched"],
            "pending": data["pending"],
            "differences": sum(number for _, number in counts),
            "counts": json.dumps(dict(counts)),
            "figures": json.dumps([dict(zip(FIGURE, line, strict=True)) for line in figures]),
            "actor_id": data["actor_id"],
            "completed_at": data["timestamp"],
        },
    )
    for number, difference in enumerate(cast("list[Fields]", data["differences"]), 1):
        rows.add(DIFFERENCE.name, {**difference, "reconciliation_id": run_id, "number": number})


RECONCILIATIONS = project(
    "reconciliations", 1, (RUN, DIFFERENCE), SQL, {"reconciliation.completed.v1": Change(complete)}
)
