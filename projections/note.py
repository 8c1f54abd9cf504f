"""The `transaction_notes` table: what staff wrote down."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from database.connect import Pool
from database.queries import load
from eventstore.converter import text_of
from eventstore.log import RecordedEvent
from projections.page import fetch_all
from projections.projection import Change, project
from projections.rows import Rows, Table

SQL = load("projections", "note.sql")


class NoteRow(NamedTuple):
    """A row of `transaction_notes`; `position` is that of its event, and its id."""

    position: int
    transaction_id: UUID
    author_id: str
    author_role: str
    text: str
    created_at: datetime


NOTE = Table(name="transaction_notes", key=("position",), columns=NoteRow._fields, is_append_only=True)


async def list_notes(pool: Pool, transaction_id: UUID, *, after: int = 0, limit: int = 100) -> list[NoteRow]:
    """Return the notes of a transaction, oldest first, those after a position."""
    parameters = {"transaction_id": transaction_id, "after": after, "limit": limit}
    return await fetch_all(pool, NoteRow, SQL.list_of_transaction, parameters)


def add(event: RecordedEvent, rows: Rows) -> None:
    """Somebody wrote a note."""
    data = event.data
    rows.add(
        NOTE.name,
        {
            "position": event.position,
            "transaction_id": text_of(event.stream_id),
            "author_id": data["actor_id"],
            "author_role": data["actor_role"],
            "text": data["text"],
            "created_at": data["timestamp"],
        },
    )


TRANSACTION_NOTES = project("transaction_notes", 1, (NOTE,), SQL, {"transaction.note_added.v1": Change(add)})
