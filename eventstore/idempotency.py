"""The table of answered commands is a fold of the log, and here it is folded."""

from psycopg import Connection
from psycopg.rows import TupleRow

from database.queries import load

SQL = load("eventstore", "log.sql")


def rebuild_idempotency(owner: Connection[TupleRow]) -> int:
    """Fold the table anew from the log, in one transaction of the owner's; return how many commands there are."""
    with owner.transaction():
        _ = owner.execute(SQL.lock_appends)
        _ = owner.execute(SQL.forget_commands)
        return owner.execute(SQL.remember_commands).rowcount
