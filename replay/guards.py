"""What keeps the log and the table of commands from being rewritten, or written to twice, by a mistake of anybody."""

from typing import cast

from psycopg import Connection
from psycopg.rows import TupleRow

from database.queries import load
from replay.finding import COMMANDS_TABLE, LOG_TABLE, Finding, FindingKind

SQL = load("replay", "guards.sql")
GUARDS = {
    "escrow_events_are_immutable": LOG_TABLE,
    "escrow_events_leaf_is_sha256": LOG_TABLE,
    "escrow_events_position": LOG_TABLE,
    "escrow_events_position_starts_at_1": LOG_TABLE,
    "escrow_events_state_fits": LOG_TABLE,
    "escrow_events_topic_is_named": LOG_TABLE,
    "escrow_events_version": LOG_TABLE,
    "idempotency_command": COMMANDS_TABLE,
    "idempotency_digests_are_sha256": COMMANDS_TABLE,
}


def list_unguarded(connection: Connection[TupleRow]) -> list[Finding]:
    """The constraints and triggers that are gone or switched off, of the tables that are there."""
    facts = {"guards": list(GUARDS), "tables": list(GUARDS.values())}
    rows = cast("list[tuple[str, str]]", connection.execute(SQL.list_missing, facts).fetchall())
    return [Finding(FindingKind.GUARD_MISSING, table=table, key=guard, found="nothing") for guard, table in rows]
