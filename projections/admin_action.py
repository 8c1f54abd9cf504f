"""The `admin_actions` table: what staff decided, about what, for which reason."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, cast
from uuid import UUID

from database.connect import Pool
from database.queries import load
from domain.actor import COMMAND_LINE, PARTIES, STAFF
from eventstore.converter import JSON, text_of
from eventstore.log import RecordedEvent
from projections.page import fetch_all
from projections.projection import Change, project
from projections.rows import Rows, Table

SQL = load("projections", "admin_action.sql")


class AdminActionRow(NamedTuple):
    """A row of `admin_actions`; `amount_minor` is in the transaction's currency where `currency` is None."""

    position: int
    action: str
    actor_id: str
    actor_role: str
    kind: str
    subject_id: UUID
    transaction_id: UUID | None
    amount_minor: int | None
    currency: str | None
    amount_usd: Decimal | None
    reason: str | None
    dispute_id: UUID | None
    approval_id: UUID | None
    requested_by: str | None
    detail: str | None
    created_at: datetime


ADMIN_ACTION = Table(name="admin_actions", key=("position",), columns=AdminActionRow._fields, is_append_only=True)
COPIED = ("amount_minor", "currency", "reason", "dispute_id", "approval_id", "requested_by")


async def list_admin_actions(
    pool: Pool,
    *,
    transaction_id: UUID | None = None,
    actor_id: str | None = None,
    action: str | None = None,
    before: int | None = None,
    limit: int = 20,
) -> list[AdminActionRow]:
    """Return what staff decided, newest first, before a position."""
    parameters = {
        "transaction_id": transaction_id,
        "actor_id": actor_id,
        "action": action,
        "before": before,
        "limit": limit,
    }
    return await fetch_all(pool, AdminActionRow, SQL.list, parameters)


def by_staff(action: str, detail: str | None = None) -> Callable[[RecordedEvent, Rows], None]:
    """Return the change that records the action when staff did it, or somebody at the command line.

    The named field of the event is its detail. What a party or the program itself did is none.
    """

    def apply(event: RecordedEvent, rows: Rows) -> None:
        if event.data["actor_role"] in STAFF or event.data["actor_id"] == COMMAND_LINE:
            _add(event, rows, action, detail)

    return apply


def by_anybody(action: str, *details: str) -> Callable[[RecordedEvent, Rows], None]:
    """Return the change that records the action whoever did it, the command line included."""
    return lambda event, rows: _add(event, rows, action, *details)


def decide(event: RecordedEvent, rows: Rows) -> None:
    """Money was moved by decision: released, refunded, awarded or granted."""
    _add(event, rows, cast("str", event.data["action"]))


def register(event: RecordedEvent, rows: Rows) -> None:
    """Somebody has had more than the roles of a party from the beginning; nobody decides that strangers sign up."""
    roles = cast("list[str]", event.data["roles"])
    if not PARTIES.issuperset(roles):
        _add(event, rows, "grant_role", "roles")


def _add(event: RecordedEvent, rows: Rows, action: str, *details: str | None) -> None:
    data = event.data
    kind = event.topic.partition(".")[0]
    cents = data.get("amount_usd_cents")
    rows.add(
        ADMIN_ACTION.name,
        {
            "position": event.position,
            "action": action,
            "actor_id": data["actor_id"],
            "actor_role": data["actor_role"],
            "kind": kind,
            "subject_id": text_of(event.stream_id),
            "transaction_id": text_of(event.stream_id) if kind == "transaction" else None,
            **{name: data.get(name) for name in COPIED},
            "reason": data.get("reason", data.get("text")),
            "amount_usd": f"{cents // 100}.{cents % 100:02d}" if isinstance(cents, int) else None,
            "detail": ", ".join(f"{name}={_text(data[name])}" for name in details if name is not None) or None,
            "created_at": data["timestamp"],
        },
    )


def _text(value: JSON) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


ADMIN_ACTIONS = project(
    "admin_actions",
    6,
    (ADMIN_ACTION,),
    SQL,
    {
        "transaction.decision_taken.v1": Change(decide),
        "transaction.approval_requested.v1": Change(by_staff("request_approval", "action")),
        "transaction.approval_requested.v2": Change(by_staff("request_approval", "action")),
        "transaction.approval_granted.v1": Change(by_staff("approve")),
        "transaction.approval_rejected.v1": Change(by_staff("reject")),
        "transaction.dispute_opened.v1": Change(by_staff("open_dispute", "category")),
        "transaction.dispute_escalated.v1": Change(by_staff("escalate_dispute")),
        "transaction.dispute_resolved.v1": Change(by_staff("resolve_dispute", "finding")),
        "transaction.dispute_withdrawn.v1": Change(by_staff("withdraw_dispute")),
        "transaction.note_added.v1": Change(by_staff("note")),
        "transaction.inspection_extended.v1": Change(by_staff("extend_inspection", "ends_at")),
        "transaction.payout_otp_typed.v1": Change(by_anybody("type_otp", "reference")),
        "transaction.payout_finalized.v1": Change(by_anybody("finalize_payout", "reference")),
        "transaction.payout_otp_resend_ordered.v1": Change(by_anybody("order_otp", "reference")),
        "transaction.payout_otp_resent.v1": Change(by_anybody("resend_otp", "reference")),
        "transaction.refund_account_given.v1": Change(by_anybody("give_refund_account", "reference")),
        "transaction.refund_retried.v1": Change(by_anybody("retry_refund", "reference")),
        "transaction.clawback_recovered.v1": Change(by_staff("record_recovery", "source")),
        "transaction.clawback_recovered.v2": Change(by_staff("record_recovery", "source")),
        "transaction.loss_written_off.v1": Change(by_staff("write_off")),
        "listing.approved.v1": Change(by_staff("approve_listing")),
        "listing.rejected.v1": Change(by_staff("reject_listing")),
        "listing.info_requested.v1": Change(by_staff("request_listing_info")),
        "listing.removed.v1": Change(by_staff("remove_listing")),
        "external_payment.settled.v1": Change(by_staff("settle_external_payment")),
        "user.registered.v1": Change(register),
        "user.role_granted.v1": Change(by_anybody("grant_role", "role")),
        "user.role_revoked.v1": Change(by_anybody("revoke_role", "role")),
        "configuration.setting_changed.v1": Change(by_anybody("change_setting", "setting", "value")),
        "treasury.funds_moved.v1": Change(by_anybody("move_funds", "movement", "evidence")),
    },
)
