"""What `escrow tx` and `escrow events` print: the tables and the log, read as the auditor."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import LiteralString
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow, TupleRow, dict_row

from cli.database import running_server
from cli.output import print_json, print_table
from cli.wiring import read_clock
from database.connect import resolve_dsn
from database.queries import load
from database.settings import Settings
from domain.errors import NotFound

SQL = load("cli", "reading.sql")

TRANSACTION_COLUMNS = ("id", "state", "currency", "amount_minor", "held_minor", "state_since", "stuck_reason")
EVENT_COLUMNS = ("position", "recorded_at", "stream", "version", "type", "actor")


@contextmanager
def reading() -> Generator[Connection[TupleRow]]:
    """Connect as the auditor, who can read and cannot write."""
    settings = Settings()
    with running_server(settings), psycopg.connect(resolve_dsn(settings, "auditor")) as connection:
        yield connection


def fetch(connection: Connection[TupleRow], query: LiteralString, **parameters: object) -> list[DictRow]:
    """Return the rows of a query."""
    return connection.cursor(row_factory=dict_row).execute(query, parameters).fetchall()


def show_transactions(*, state: str | None, stuck: bool, limit: int, as_json: bool) -> None:
    """List transactions."""
    with reading() as connection:
        rows = fetch(connection, SQL.list_transactions, state=state, stuck=stuck, limit=limit, now=read_clock())
    _show("transactions", rows, TRANSACTION_COLUMNS, as_json=as_json)


def show_transaction(transaction_id: UUID, *, as_json: bool) -> None:
    """Show one transaction; raise `NotFound`."""
    with reading() as connection:
        found = fetch(connection, SQL.get_transaction, id=transaction_id)
        if not found:
            raise NotFound
        parts = {
            "payouts": fetch(connection, SQL.list_payouts, id=transaction_id),
            "refunds": fetch(connection, SQL.list_refunds, id=transaction_id),
            "disputes": fetch(connection, SQL.list_disputes, id=transaction_id),
            "notes": fetch(connection, SQL.list_notes, id=transaction_id),
            "events": fetch(connection, SQL.list_events, stream=transaction_id, after=0, limit=1000),
        }
    if as_json:
        print_json({"transaction": found[0], **parts})
    else:
        _print_transaction(found[0], parts)


def _print_transaction(row: Mapping[str, object], parts: Mapping[str, Sequence[DictRow]]) -> None:
    for name, value in row.items():
        if value is not None:
            print(f"{name:24} {value}")
    for name, rows in parts.items():
        if rows:
            print(f"\n{name}")
            columns = EVENT_COLUMNS if name == "events" else tuple(key for key in rows[0] if key != "transaction_id")
            print_table(rows, columns)


def show_events(*, stream: UUID | None, after: int | None, limit: int, as_json: bool) -> None:
    """Print a piece of the log."""
    with reading() as connection:
        if after is None:
            rows = fetch(connection, SQL.list_newest_events, stream=stream, limit=limit)[::-1]
        else:
            rows = fetch(connection, SQL.list_events, stream=stream, after=after, limit=limit)
    _show("events", rows, EVENT_COLUMNS, as_json=as_json)


def _show(name: str, rows: Sequence[DictRow], columns: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        print_json({name: rows})
    else:
        print_table(rows, columns)
