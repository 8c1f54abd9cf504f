"""What people are to hear of: queued in the transaction of its cause, sent by the worker, kept until it has ended.

A row names a template and the facts it shows. It holds no address and no text, so erasing a person leaves nothing here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid5

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from database.connect import Connection, Pool
from database.queries import load

SQL = load("identity", "notification.sql")
NAMESPACE = UUID("5b0c1f0e-8d0b-5b7a-9a55-1f3a2b6c7d10")
PATIENCE = timedelta(days=3)
"""So long after its cause a message is tried; after that nobody is helped by it."""
MAIL = "email"

Facts = Mapping[str, str]
"""What a template shows, ready to be shown. Never a secret, never anything about another person but his role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message to one person. `transaction_id` and `event_version` name the event it tells of, if there is one."""

    id: UUID
    user_id: UUID
    template: str
    facts: Facts
    created_at: datetime
    due_at: datetime
    transaction_id: UUID | None = None
    event_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueNotification:
    """What is to be sent now, and to where: `email` is None for a person who was erased or is not known here."""

    id: UUID
    user_id: UUID
    template: str
    facts: dict[str, str]
    transaction_id: UUID | None
    event_version: int | None
    created_at: datetime
    give_up_at: datetime
    tries: int
    email: str | None = field(repr=False)
    is_verified: bool


class Told(NamedTuple):
    """How telling some people of one event ended, all the same way; what the log gets to know."""

    transaction_id: UUID
    event_version: int
    template: str
    outcome: str
    user_ids: list[UUID]
    ids: list[UUID]


def notification_id(*parts: object) -> UUID:
    """Return the id of a message from what makes it this one: made again it is the same one."""
    return uuid5(NAMESPACE, ":".join(str(part) for part in parts))


async def queue(connection: Connection, notifications: Sequence[Notification]) -> None:
    """Let these be sent; one that was queued before changes nothing. Call inside the transaction of the cause."""
    async with connection.cursor() as cursor:
        await cursor.executemany(SQL.insert_notification, [_row_of(each) for each in notifications])


async def tell_user(
    connection: Connection, user_id: UUID, template: str, *, at: datetime, what: str = "", key: str = ""
) -> None:
    """Tell somebody of something that happened to the account, when, and `what` where the template asks for it.

    Twice with the same `key` is once; without a key the moment is the key. Call inside the transaction that does it.
    """
    made = notification_id(user_id, template, what, key or at.isoformat())
    facts = {"at": show_time(at), "what": what}
    note = Notification(id=made, user_id=user_id, template=template, facts=facts, created_at=at, due_at=at)
    await queue(connection, [note])


def show_time(at: datetime) -> str:
    """Return a moment as messages show it."""
    return f"{at.astimezone(UTC):%d %B %Y, %H:%M} UTC".removeprefix("0")


def _row_of(notification: Notification) -> dict[str, object]:
    return {
        "id": notification.id,
        "user_id": notification.user_id,
        "template": notification.template,
        "facts": Jsonb(dict(notification.facts)),
        "transaction_id": notification.transaction_id,
        "event_version": notification.event_version,
        "created_at": notification.created_at,
        "due_at": notification.due_at,
        "give_up_at": max(notification.created_at, notification.due_at) + PATIENCE,
    }


async def list_due(pool: Pool, at: datetime, limit: int) -> list[DueNotification]:
    """Return what is to be sent by now, the longest due first."""
    async with pool.connection() as connection:
        cursor = connection.cursor(row_factory=class_row(DueNotification))
        await cursor.execute(SQL.list_due, {"at": at, "limit": limit})
        return await cursor.fetchall()


async def settle(
    pool: Pool, notification: DueNotification, outcome: str, *, at: datetime, is_recorded: bool = False
) -> None:
    """Say how it ended, once, and count it; `is_recorded` when the log need not be told."""
    row = {"id": notification.id, "outcome": outcome, "at": at, "recorded_at": at if is_recorded else None}
    async with pool.connection() as connection, connection.transaction():
        if await (await connection.execute(SQL.settle, row)).fetchone() is not None:
            await connection.execute(SQL.count_outcome, {"channel": MAIL, "outcome": outcome})


async def postpone(pool: Pool, notification: DueNotification, error: str, due_at: datetime) -> None:
    """Try again at `due_at`."""
    async with pool.connection() as connection:
        await connection.execute(SQL.postpone, {"id": notification.id, "error": error, "due_at": due_at})


async def list_unrecorded(pool: Pool, limit: int) -> list[Told]:
    """Return the outcomes that the log is to be told of: of events that nobody is left to be told of."""
    async with pool.connection() as connection:
        cursor = await connection.execute(SQL.list_unrecorded, {"limit": limit})
        return [Told(*row) for row in await cursor.fetchall()]


async def mark_recorded(pool: Pool, told: Told, at: datetime) -> None:
    """The log has it."""
    async with pool.connection() as connection:
        await connection.execute(SQL.mark_recorded, {"ids": told.ids, "at": at})


async def count_outcomes(pool: Pool) -> dict[tuple[str, str], int]:
    """Return how many messages ended how, by channel and outcome, since the beginning."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(SQL.list_counts)).fetchall()
    return {(channel, outcome): number for channel, outcome, number in rows}


async def count_waiting(pool: Pool, at: datetime) -> int:
    """Return how many messages are due, or would be if they had not failed, and were not sent yet."""
    async with pool.connection() as connection:
        row = await (await connection.execute(SQL.count_waiting, {"at": at})).fetchone()
    return row[0] if row else 0


async def delete_old_notifications(connection: Connection, before: datetime) -> int:
    """Delete what ended before a moment; return how many. The log keeps what was told about transactions."""
    return (await connection.execute(SQL.delete_old, {"before": before})).rowcount
