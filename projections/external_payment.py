"""The `external_payments` table: what the processor has and a restored log did not know."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from database.connect import Pool
from database.queries import load
from eventstore.converter import text_of
from eventstore.log import RecordedEvent
from projections.page import fetch_all, fetch_one
from projections.projection import Change, at_stream, project
from projections.rows import Rows, Table

SQL = load("projections", "external_payment.sql")


class ExternalPaymentRow(NamedTuple):
    """A row of `external_payments`; it holds its transaction back until `settled_at`."""

    id: UUID
    position: int
    kind: str
    reference: str
    processor_id: str | None
    transaction_id: UUID | None
    currency: str
    amount_minor: int
    status: str
    discovered_at: datetime
    settled_at: datetime | None
    settled_by: str | None
    reason: str | None


PAYMENT = Table(name="external_payments", key=("id",), columns=ExternalPaymentRow._fields)
GIVEN = ("kind", "reference", "processor_id", "transaction_id", "currency", "amount_minor", "status")


async def list_open_payments(pool: Pool, transaction_id: UUID) -> list[ExternalPaymentRow]:
    """Return what holds a transaction back."""
    return await fetch_all(pool, ExternalPaymentRow, SQL.list_open, {"transaction_id": transaction_id})


async def find_open_payment(pool: Pool, name: str) -> ExternalPaymentRow | None:
    """Return what is open under a reference of ours or an id of the processor's."""
    return await fetch_one(pool, ExternalPaymentRow, SQL.find, {"name": name})


def discover(event: RecordedEvent, rows: Rows) -> None:
    """The processor has it, and the log had no place for it."""
    data = event.data
    rows.put(
        PAYMENT.name,
        {
            **dict.fromkeys(PAYMENT.columns),
            **{name: data[name] for name in GIVEN},
            "id": text_of(event.stream_id),
            "position": event.position,
            "discovered_at": data["timestamp"],
        },
    )


def settle(event: RecordedEvent, rows: Rows) -> None:
    """It holds nothing back any more."""
    data = event.data
    settled = {"settled_at": data["timestamp"], "settled_by": data["actor_id"], "reason": data["reason"]}
    rows.change(PAYMENT.name, text_of(event.stream_id), **settled)


EXTERNAL_PAYMENTS = project(
    "external_payments",
    1,
    (PAYMENT,),
    SQL,
    {
        "external_payment.discovered.v1": Change(discover),
        "external_payment.settled.v1": Change(settle, at_stream(PAYMENT)),
    },
)
