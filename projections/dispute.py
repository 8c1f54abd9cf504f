"""The `disputes` table: who disagrees about what, and how it was decided."""

from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from database.connect import Pool
from database.queries import load
from eventstore.converter import JSON, text_of
from eventstore.log import RecordedEvent
from projections.page import fetch_all
from projections.projection import Change, at_field, project
from projections.rows import Rows, Table

SQL = load("projections", "dispute.sql")


class DisputeRow(NamedTuple):
    """A row of `disputes`; `state` is `open`, `escalated`, `resolved` or `withdrawn`.

    `answer` is what became of our answer to the processor's: `ordered`, `sent` or `refused`; `evidence_refs` names what
    was sent, with spaces between.
    """

    dispute_id: UUID
    transaction_id: UUID
    source: str
    category: str
    state: str
    opened_by: str
    opened_at: datetime
    statement_id: UUID | None
    statement_sha256: str | None
    processor_dispute_id: str | None
    amount_minor: int
    due_at: datetime | None
    escalated_at: datetime | None
    escalation_reason: str | None
    finding: str | None
    to_buyer_minor: int | None
    to_seller_minor: int | None
    platform_fee_minor: int | None
    compensation_minor: int | None
    reason: str | None
    decided_by: str | None
    decided_at: datetime | None
    answer: str | None
    answer_resolution: str | None
    answer_failure: str | None
    evidence_sha256: str | None
    evidence_refs: str | None
    answer_ordered_at: datetime | None
    answered_at: datetime | None
    position: int


DISPUTE = Table(name="disputes", key=("dispute_id",), columns=DisputeRow._fields)


async def list_disputes_of(pool: Pool, transaction_id: UUID) -> list[DisputeRow]:
    """Return the disputes of a transaction, oldest first."""
    return await fetch_all(pool, DisputeRow, SQL.list_of_transaction, {"transaction_id": transaction_id})


OPENING = (
    "dispute_id",
    "source",
    "category",
    "statement_id",
    "statement_sha256",
    "processor_dispute_id",
    "amount_minor",
    "due_at",
)
AWARD = ("finding", "to_buyer_minor", "to_seller_minor", "platform_fee_minor", "compensation_minor", "reason")


def open_dispute(event: RecordedEvent, rows: Rows) -> None:
    """Somebody disagrees."""
    data = event.data
    rows.put(
        DISPUTE.name,
        {
            **dict.fromkeys(DISPUTE.columns),
            **{name: data[name] for name in OPENING},
            "transaction_id": text_of(event.stream_id),
            "state": "open",
            "opened_by": data["actor_id"],
            "opened_at": data["timestamp"],
            "position": event.position,
        },
    )


def escalate(event: RecordedEvent, rows: Rows) -> None:
    """It is a super_admin's to decide."""
    data = event.data
    _change(event, rows, state="escalated", escalated_at=data["timestamp"], escalation_reason=data["reason"])


def resolve(event: RecordedEvent, rows: Rows) -> None:
    """It is decided."""
    _close(event, rows, "resolved", **{name: event.data[name] for name in AWARD})


def withdraw(event: RecordedEvent, rows: Rows) -> None:
    """Its opener took it back."""
    _close(event, rows, "withdrawn", finding="withdrawn")


def order_answer(event: RecordedEvent, rows: Rows) -> None:
    """It is going to be declined, with evidence."""
    data = event.data
    _change(
        event,
        rows,
        answer="ordered",
        answer_resolution=data["resolution"],
        evidence_sha256=data["evidence_sha256"],
        answer_ordered_at=data["timestamp"],
    )


def note_answer(event: RecordedEvent, rows: Rows) -> None:
    """The processor has an answer."""
    data = event.data
    refs = " ".join(cast("list[str]", data["evidence_refs"])) or None
    answer = {"answer": "sent", "answer_resolution": data["resolution"], "evidence_refs": refs}
    _change(event, rows, **answer, answered_at=data["timestamp"])


def note_refusal(event: RecordedEvent, rows: Rows) -> None:
    """The processor did not take it."""
    _change(event, rows, answer="refused", answer_failure=event.data["reason"])


def _close(event: RecordedEvent, rows: Rows, state: str, **columns: JSON) -> None:
    data = event.data
    _change(event, rows, state=state, decided_by=data["actor_id"], decided_at=data["timestamp"], **columns)


def _change(event: RecordedEvent, rows: Rows, **columns: JSON) -> None:
    rows.change(DISPUTE.name, event.data["dispute_id"], **columns, position=event.position)


_NAMED = at_field(DISPUTE, "dispute_id")

DISPUTES = project(
    "disputes",
    2,
    (DISPUTE,),
    SQL,
    {
        "transaction.dispute_opened.v1": Change(open_dispute),
        "transaction.dispute_escalated.v1": Change(escalate, _NAMED),
        "transaction.dispute_resolved.v1": Change(resolve, _NAMED),
        "transaction.dispute_withdrawn.v1": Change(withdraw, _NAMED),
        "transaction.processor_dispute_answer_ordered.v1": Change(order_answer, _NAMED),
        "transaction.processor_dispute_answered.v1": Change(note_answer, _NAMED),
        "transaction.processor_dispute_answer_refused.v1": Change(note_refusal, _NAMED),
    },
)
