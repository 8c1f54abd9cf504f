"""The `notifications` table: who was told what."""

from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from database.connect import Pool
from database.queries import load
from eventstore.converter import text_of
from eventstore.log import RecordedEvent
from projections.page import fetch_all
from projections.projection import Change, project
from projections.rows import Rows, Table

SQL = load("projections", "notification.sql")


class NotificationRow(NamedTuple):
    """A row of `notifications`."""

    position: int
    user_id: UUID
    transaction_id: UUID
    template: str
    channel: str
    outcome: str
    created_at: datetime


NOTIFICATION = Table(
    name="notifications", key=("position", "user_id"), columns=NotificationRow._fields, is_append_only=True
)


async def list_notifications(
    pool: Pool,
    *,
    user_id: UUID | None = None,
    transaction_id: UUID | None = None,
    before: tuple[int, UUID] | None = None,
    limit: int = 20,
) -> list[NotificationRow]:
    """Return notifications of a person or about a transaction, newest first.

    `before` is the (position, user_id) of the last one of the page before.
    """
    position, last_id = before or (None, None)
    parameters = {
        "user_id": user_id,
        "transaction_id": transaction_id,
        "before_position": position,
        "before_user_id": last_id,
        "limit": limit,
    }
    return await fetch_all(pool, NotificationRow, SQL.list, parameters)


def add(event: RecordedEvent, rows: Rows) -> None:
    """Several people were told at once; each counts once."""
    data = event.data
    for user_id in dict.fromkeys(cast("list[str]", data["user_ids"])):
        rows.add(
            NOTIFICATION.name,
            {
                "position": event.position,
                "user_id": user_id,
                "transaction_id": text_of(event.stream_id),
                "template": data["template"],
                "channel": data["channel"],
                "outcome": data["outcome"],
                "created_at": data["timestamp"],
            },
        )


NOTIFICATIONS = project("notifications", 1, (NOTIFICATION,), SQL, {"transaction.parties_notified.v1": Change(add)})
