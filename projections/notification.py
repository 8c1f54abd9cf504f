"""The `notifications` table: who was told what."""

from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from database.queries import load
from eventstore.converter import text_of
from eventstore.log import RecordedEvent
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
