"""The `refunds` table: every order to give money back, and what the processor said of it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from database.connect import Pool
from database.queries import load
from eventstore.converter import JSON, text_of
from eventstore.log import RecordedEvent
from projections.page import fetch_all
from projections.projection import Change, Needed, at_field, project
from projections.rows import Rows, Table

SQL = load("projections", "refund.sql")


class RefundRow(NamedTuple):
    """A row of `refunds`; amounts in minor units of `currency`, `concluded_at` None while it may still be sent.

    `waiting_since` is None unless the processor's balance is too low to send it.
    """

    reference: str
    transaction_id: UUID
    charge_reference: str
    basis: str
    currency: str
    amount_minor: int
    status: str
    processor_refund_id: str | None
    source: str | None
    failure: str | None
    ordered_at: datetime
    updated_at: datetime
    waiting_since: datetime | None
    concluded_at: datetime | None
    position: int


REFUND = Table(name="refunds", key=("reference",), columns=RefundRow._fields)


async def list_refunds_of(pool: Pool, transaction_id: UUID) -> list[RefundRow]:
    """Return the refunds of a transaction, oldest first."""
    return await fetch_all(pool, RefundRow, SQL.list_of_transaction, {"transaction_id": transaction_id})


async def list_refunds(
    pool: Pool, *, status: str | None = None, before: tuple[datetime, str] | None = None, limit: int = 20
) -> list[RefundRow]:
    """Return refunds, newest first; `before` is the (ordered_at, reference) of the last one of the page before."""
    at, reference = before or (None, None)
    parameters = {"status": status, "before_at": at, "before_reference": reference, "limit": limit}
    return await fetch_all(pool, RefundRow, SQL.list, parameters)


def order(event: RecordedEvent, rows: Rows) -> None:
    """The buyer is owed."""
    _order(event, rows, event.data["amount_minor"], event.data["basis"])


def order_share(event: RecordedEvent, rows: Rows) -> None:
    """An award divides the money; the buyer's share is a refund, if there is one."""
    if event.data["to_buyer_minor"]:
        _order(event, rows, event.data["to_buyer_minor"], "award")


def order_return(event: RecordedEvent, rows: Rows) -> None:
    """Money that nobody asked for goes back."""
    _order(event, rows, event.data["amount_minor"], "mismatch")


def _order(event: RecordedEvent, rows: Rows, amount_minor: JSON, basis: JSON) -> None:
    data = event.data
    rows.put(
        REFUND.name,
        {
            **dict.fromkeys(REFUND.columns),
            **{name: data[name] for name in ("reference", "charge_reference", "currency")},
            "transaction_id": text_of(event.stream_id),
            "amount_minor": amount_minor,
            "basis": basis,
            "status": "approved",
            "ordered_at": data["timestamp"],
            "updated_at": data["timestamp"],
            "position": event.position,
        },
    )


def wait(event: RecordedEvent, rows: Rows) -> None:
    """The processor's balance is too low."""
    at = event.data["timestamp"]
    rows.change(REFUND.name, event.data["reference"], waiting_since=at, updated_at=at, position=event.position)


def doubt(event: RecordedEvent, rows: Rows) -> None:
    """Nobody knows whether the processor has accepted it."""
    _become(event, rows, event.data["reference"], "uncertain", ends=False, waiting_since=None)


def submit(event: RecordedEvent, rows: Rows) -> None:
    """The processor has accepted it."""
    data = event.data
    facts = {name: data[name] for name in ("processor_refund_id", "source")}
    _become(event, rows, data["reference"], "submitted", ends=False, **facts, waiting_since=None)


def fail(event: RecordedEvent, rows: Rows) -> None:
    """The processor will not send it."""
    data = event.data
    _become(event, rows, data["reference"], "failed", ends=True, failure=data["reason"], waiting_since=None)


def become(status: str, *, ends: bool = False) -> Callable[[RecordedEvent, Rows], None]:
    """Return the change to a status."""
    return lambda event, rows: _become(event, rows, event.data["reference"], status, ends=ends)


def cancel(event: RecordedEvent, rows: Rows) -> None:
    """A chargeback took the money that these refunds were going to send."""
    for reference in _cancelled(event):
        _become(event, rows, reference, "cancelled", ends=True, waiting_since=None)


def revive(event: RecordedEvent, rows: Rows) -> None:
    """A refund that a chargeback had cancelled, or that had failed, was on its way all the same."""
    rows.change(
        REFUND.name,
        event.data["reference"],
        status="approved",
        failure=None,
        updated_at=event.data["timestamp"],
        concluded_at=None,
        position=event.position,
    )


def _become(event: RecordedEvent, rows: Rows, reference: JSON, status: str, *, ends: bool, **columns: JSON) -> None:
    at = event.data["timestamp"]
    concluded_at = at if ends else rows.get(REFUND.name, reference)["concluded_at"]
    rows.change(
        REFUND.name,
        reference,
        status=status,
        **columns,
        updated_at=at,
        concluded_at=concluded_at,
        position=event.position,
    )


def _cancelled(event: RecordedEvent) -> list[str]:
    return cast("list[str]", event.data["cancelled_refunds"])


def _needs_cancelled(event: RecordedEvent) -> Iterable[Needed]:
    return [(REFUND.name, (reference,)) for reference in _cancelled(event)]


_NAMED = at_field(REFUND, "reference")

REFUNDS = project(
    "refunds",
    2,
    (REFUND,),
    SQL,
    {
        "transaction.refund_ordered.v1": Change(order),
        "transaction.split_ordered.v1": Change(order_share),
        "transaction.receipt_return_ordered.v1": Change(order_return),
        "transaction.refund_uncertain.v1": Change(doubt, _NAMED),
        "transaction.refund_waits_for_balance.v1": Change(wait, _NAMED),
        "transaction.refund_submitted.v1": Change(submit, _NAMED),
        "transaction.refund_processing.v1": Change(become("processing"), _NAMED),
        "transaction.refund_needs_attention.v1": Change(become("needs_attention"), _NAMED),
        "transaction.refund_processed.v1": Change(become("processed", ends=True), _NAMED),
        "transaction.refund_failed.v1": Change(fail, _NAMED),
        "transaction.chargeback_lost.v1": Change(cancel, _needs_cancelled),
        "transaction.stray_chargeback_lost.v1": Change(cancel, _needs_cancelled),
        "transaction.cancelled_refund_sent.v1": Change(revive, _NAMED),
        "transaction.failed_refund_sent.v1": Change(revive, _NAMED),
    },
)
