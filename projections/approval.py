"""The `approvals` table: decisions about money that wait for a second super_admin."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from database.connect import Pool
from database.queries import load
from eventstore.converter import text_of
from eventstore.log import RecordedEvent
from projections.page import Moment, fetch_all, fetch_one
from projections.projection import Change, at_field, project
from projections.rows import Rows, Table

SQL = load("projections", "approval.sql")


class ApprovalRow(NamedTuple):
    """A row of `approvals`; `status` is `requested`, `granted`, `rejected` or `expired`."""

    approval_id: UUID
    transaction_id: UUID
    action: str
    status: str
    amount_minor: int
    reason: str
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    at_version: int
    purpose: str | None
    recipient: str | None
    dispute_id: UUID | None
    finding: str | None
    to_buyer_minor: int | None
    to_seller_minor: int | None
    compensation_minor: int
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None
    position: int


APPROVAL = Table(name="approvals", key=("approval_id",), columns=ApprovalRow._fields)


async def get_approval(pool: Pool, approval_id: UUID) -> ApprovalRow | None:
    """Return one request, None when there is none."""
    return await fetch_one(pool, ApprovalRow, SQL.get, {"approval_id": approval_id})


async def list_approvals(
    pool: Pool, *, status: str | None = None, before: Moment | None = None, limit: int = 20
) -> list[ApprovalRow]:
    """Return requests, newest first; `before` is the (requested_at, approval_id) of the last of the page before."""
    at, last_id = before or (None, None)
    parameters = {"status": status, "before_at": at, "before_id": last_id, "limit": limit}
    return await fetch_all(pool, ApprovalRow, SQL.list, parameters)


REQUEST = (
    "approval_id",
    "action",
    "amount_minor",
    "reason",
    "expires_at",
    "at_version",
    "purpose",
    "recipient",
    "dispute_id",
    "finding",
    "to_buyer_minor",
    "to_seller_minor",
    "compensation_minor",
)


def request(event: RecordedEvent, rows: Rows) -> None:
    """A decision waits."""
    data = event.data
    rows.put(
        APPROVAL.name,
        {
            **dict.fromkeys(APPROVAL.columns),
            **{name: data.get(name) for name in REQUEST},
            "transaction_id": text_of(event.stream_id),
            "status": "requested",
            "requested_by": data["actor_id"],
            "requested_at": data["timestamp"],
            "position": event.position,
        },
    )


def become(status: str) -> Callable[[RecordedEvent, Rows], None]:
    """Return the change to a status; a rejection has a reason."""

    def apply(event: RecordedEvent, rows: Rows) -> None:
        data = event.data
        rows.change(
            APPROVAL.name,
            data["approval_id"],
            status=status,
            decided_by=data["actor_id"],
            decided_at=data["timestamp"],
            decision_reason=data.get("reason"),
            position=event.position,
        )

    return apply


_NAMED = at_field(APPROVAL, "approval_id")

APPROVALS = project(
    "approvals",
    2,
    (APPROVAL,),
    SQL,
    {
        "transaction.approval_requested.v1": Change(request),
        "transaction.approval_requested.v2": Change(request),
        "transaction.approval_granted.v1": Change(become("granted"), _NAMED),
        "transaction.approval_rejected.v1": Change(become("rejected"), _NAMED),
        "transaction.approval_expired.v1": Change(become("expired"), _NAMED),
    },
)
