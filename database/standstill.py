"""What stands still until something outside the log answers, and why: the row behind an alert that resolves itself."""

from datetime import datetime
from typing import Literal, LiteralString, NamedTuple

from psycopg.rows import args_row

from database.connect import Pool
from database.queries import load

SQL = load("database", "standstill.sql")

Kind = Literal["restore", "reconciliation", "mail", "sms"]


class Standstill(NamedTuple):
    """Why and since when, and what the last try met; None while nothing was tried."""

    reason: str
    noticed_at: datetime
    error: str | None


async def begin_standstill(pool: Pool, kind: Kind, reason: str, at: datetime) -> None:
    """Say that something stands still; while it does already, nothing changes."""
    await _write(pool, SQL.begin, {"kind": kind, "reason": reason, "at": at})


async def find_standstill(pool: Pool, kind: Kind) -> Standstill | None:
    """Return what stands still; None while nothing of the kind does."""
    async with pool.connection() as connection, connection.cursor(row_factory=args_row(Standstill)) as cursor:
        return await (await cursor.execute(SQL.find, {"kind": kind})).fetchone()


async def fail_standstill(pool: Pool, kind: Kind, error: str, at: datetime) -> None:
    """Say what the last try met."""
    await _write(pool, SQL.fail, {"kind": kind, "error": error, "at": at})


async def resolve_standstill(pool: Pool, kind: Kind, at: datetime) -> None:
    """Say that it goes on; when nothing stood still, nothing changes."""
    await _write(pool, SQL.resolve, {"kind": kind, "at": at})


async def _write(pool: Pool, query: LiteralString, parameters: dict[str, object]) -> None:
    async with pool.connection() as connection:
        await connection.execute(query, parameters)
