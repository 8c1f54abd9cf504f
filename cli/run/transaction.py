"""What `escrow tx` and `escrow events` print: the read models and the log, read as the auditor."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg import sql

from api.http.query import read_choice
from cli.connection import run_as
from cli.output import print_facts, print_json, print_rows, print_table
from database.clock import read_clock
from database.connect import Pool
from database.queries import load
from database.settings import Settings
from domain.errors import NotFound
from domain.transaction.phase import Phase
from eventstore.converter import JSON
from projections.dispute import list_disputes_of
from projections.note import list_notes
from projections.page import fetch_all
from projections.payout import list_payouts_of
from projections.refund import list_refunds_of
from projections.transaction import TransactionRow, get_transaction, list_transactions

SQL = load("cli.run", "transaction.sql")
MOST_PARTS = 1000

TRANSACTION_COLUMNS = ("id", "state", "currency", "amount_minor", "held_minor", "state_since", "stuck_reason")

Row = dict[str, object]


class EventRow(NamedTuple):
    """An event as people read it; `data` is None where it cannot be decoded."""

    position: int
    recorded_at: datetime
    stream: UUID
    version: int
    type: str
    actor: str | None
    data: JSON


EVENT_COLUMNS = EventRow._fields[:-1]


def show_transactions(*, state: str | None, stuck: bool, limit: int, as_json: bool) -> None:
    """List transactions. Raises QueryInvalid for a state that does not exist."""
    phase = read_choice(Phase, state)

    async def read(pool: Pool) -> list[TransactionRow]:
        stuck_at = read_clock() if stuck else None
        return await list_transactions(pool, states=None if phase is None else [phase], stuck_at=stuck_at, limit=limit)

    rows = [row._asdict() for row in run_as("auditor", Settings(), read)]
    print_rows("transactions", rows, TRANSACTION_COLUMNS, as_json=as_json)


def show_transaction(transaction_id: UUID, *, as_json: bool) -> None:
    """Show one transaction; raise `NotFound`."""
    row, parts = run_as("auditor", Settings(), lambda pool: _read_transaction(pool, transaction_id))
    if as_json:
        print_json({"transaction": row, **parts})
    else:
        _print_transaction(row, parts)


async def _read_transaction(pool: Pool, transaction_id: UUID) -> tuple[Row, dict[str, list[Row]]]:
    found = await get_transaction(pool, transaction_id)
    if found is None:
        raise NotFound
    parts = {
        "payouts": await list_payouts_of(pool, transaction_id),
        "refunds": await list_refunds_of(pool, transaction_id),
        "disputes": await list_disputes_of(pool, transaction_id),
        "notes": await list_notes(pool, transaction_id, limit=MOST_PARTS),
        "events": await _list_events(pool, transaction_id, after=0, limit=MOST_PARTS),
    }
    return found._asdict(), {name: [row._asdict() for row in rows] for name, rows in parts.items()}


def _print_transaction(row: Mapping[str, object], parts: Mapping[str, Sequence[Row]]) -> None:
    print_facts(row, 24)
    for name, rows in parts.items():
        if rows:
            print(f"\n{name}")
            columns = EVENT_COLUMNS if name == "events" else tuple(key for key in rows[0] if key != "transaction_id")
            print_table(rows, columns)


def show_events(*, stream: UUID | None, after: int | None, limit: int, as_json: bool) -> None:
    """Print a piece of the log."""
    rows = run_as("auditor", Settings(), lambda pool: _list_events(pool, stream, after=after, limit=limit))
    print_rows("events", [row._asdict() for row in rows], EVENT_COLUMNS, as_json=as_json)


async def _list_events(pool: Pool, stream: UUID | None, *, after: int | None, limit: int) -> list[EventRow]:
    """Return events after a position, oldest first; the newest without one."""
    query = sql.SQL(SQL.list_events).format(direction=sql.SQL("DESC" if after is None else "ASC"))
    rows = await fetch_all(pool, EventRow, query, {"stream": stream, "after": after or 0, "limit": limit})
    return rows[::-1] if after is None else rows
