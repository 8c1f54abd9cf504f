"""The `payouts` table: every attempt to transfer money, and what the processor said of it."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from database.connect import Pool
from database.queries import load
from eventstore.converter import JSON, text_of
from eventstore.log import RecordedEvent
from projections.page import fetch_all
from projections.projection import Change, at_field, project
from projections.rows import Row, Rows, Table

SQL = load("projections", "payout.sql")


class PayoutRow(NamedTuple):
    """A row of `payouts`; amounts in minor units of `currency`, `concluded_at` None while it may still be paid.

    `fee_minor` is None until the processor has told it, `waiting_since` unless its balance is too low.
    """

    reference: str
    transaction_id: UUID
    purpose: str
    attempt: int
    currency: str
    amount_minor: int
    recipient: str
    status: str
    transfer_code: str | None
    fee_minor: int | None
    failure: str | None
    requested_at: datetime
    updated_at: datetime
    waiting_since: datetime | None
    concluded_at: datetime | None
    position: int


PAYOUT = Table(name="payouts", key=("reference",), columns=PayoutRow._fields)


async def list_payouts_of(pool: Pool, transaction_id: UUID) -> list[PayoutRow]:
    """Return the payouts of a transaction, oldest first."""
    return await fetch_all(pool, PayoutRow, SQL.list_of_transaction, {"transaction_id": transaction_id})


def request(event: RecordedEvent, rows: Rows) -> None:
    """The intent to transfer money."""
    data = event.data
    named = ("reference", "purpose", "attempt", "currency", "amount_minor", "recipient")
    rows.put(
        PAYOUT.name,
        {
            **dict.fromkeys(PAYOUT.columns),
            **{name: data[name] for name in named},
            "transaction_id": text_of(event.stream_id),
            "status": "requested",
            "requested_at": data["timestamp"],
            "updated_at": data["timestamp"],
            "position": event.position,
        },
    )


def wait(event: RecordedEvent, rows: Rows) -> None:
    """The processor's balance is too low."""
    at = event.data["timestamp"]
    rows.change(PAYOUT.name, event.data["reference"], waiting_since=at, updated_at=at, position=event.position)


def become(status: str, *, ends: bool = False, **columns: str) -> Callable[[RecordedEvent, Rows], None]:
    """Return the change to a status; `columns` are filled from the event's fields of these names."""

    def apply(event: RecordedEvent, rows: Rows) -> None:
        filled: Row = {column: event.data[field] for column, field in columns.items()}
        if ends:
            filled["concluded_at"] = event.data["timestamp"]
        _change(event, rows, status, **filled)

    return apply


def doubt(event: RecordedEvent, rows: Rows) -> None:
    """Nobody knows whether the processor has accepted it."""
    _change(event, rows, "uncertain", waiting_since=None)


def submit(event: RecordedEvent, rows: Rows) -> None:
    """The processor has accepted it."""
    _change(event, rows, "submitted", transfer_code=event.data["transfer_code"], waiting_since=None)


def finalize(event: RecordedEvent, rows: Rows) -> None:
    """Somebody typed the one-time password; what the processor has said since then stands."""
    if rows.get(PAYOUT.name, event.data["reference"])["status"] == "otp":
        _change(event, rows, "submitted")


def succeed(event: RecordedEvent, rows: Rows) -> None:
    """The money arrived; a fee of 0 is one that the processor has not told yet."""
    fee_minor, at = event.data["fee_minor"] or None, event.data["timestamp"]
    _change(event, rows, "succeeded", fee_minor=fee_minor, concluded_at=at)


def fail(event: RecordedEvent, rows: Rows) -> None:
    """The transfer will never be paid; one that the processor reversed before it was ever paid says so."""
    data = event.data
    status = "reversed" if data["status"] == "reversed" else "failed"
    _change(event, rows, status, failure=data["reason"], waiting_since=None, concluded_at=data["timestamp"])


def assess_fee(event: RecordedEvent, rows: Rows) -> None:
    """The fee became known after the end; what became of the payout stands."""
    status = rows.get(PAYOUT.name, event.data["reference"])["status"]
    _change(event, rows, str(status), fee_minor=event.data["fee_minor"])


def _change(event: RecordedEvent, rows: Rows, status: str, **columns: JSON) -> None:
    data = event.data
    rows.change(
        PAYOUT.name,
        data["reference"],
        status=status,
        **columns,
        updated_at=data["timestamp"],
        position=event.position,
    )


_NAMED = at_field(PAYOUT, "reference")

PAYOUTS = project(
    "payouts",
    5,
    (PAYOUT,),
    SQL,
    {
        "transaction.payout_requested.v1": Change(request),
        "transaction.payout_uncertain.v1": Change(doubt, _NAMED),
        "transaction.payout_waits_for_balance.v1": Change(wait, _NAMED),
        "transaction.payout_submitted.v1": Change(submit, _NAMED),
        "transaction.payout_otp_required.v1": Change(become("otp"), _NAMED),
        "transaction.payout_finalized.v1": Change(finalize, _NAMED),
        "transaction.payout_succeeded.v1": Change(succeed, _NAMED),
        "transaction.payout_fee_assessed.v1": Change(assess_fee, _NAMED),
        "transaction.payout_failed.v1": Change(fail, _NAMED),
        "transaction.payout_paid_after_all.v1": Change(succeed, _NAMED),
        "transaction.payout_reversal_seen.v1": Change(become("reversed"), _NAMED),
        "transaction.payout_reversed.v1": Change(become("reversed", ends=True, failure="reason"), _NAMED),
    },
)
