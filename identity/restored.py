"""After a restore: a backup lets in again whoever was signed out since it was made, so nobody is let in by it.

A session that was ended, a key that was revoked and a code that was used are good again in an older copy of the
database, and nothing in it says that they should not be.
"""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import args_row

from database.connect import Pool
from database.queries import load

SQL = load("identity", "restored.sql")


class SignedOut(NamedTuple):
    """How many sessions, and how many codes and tokens by mail and SMS, are good no more."""

    sessions: int
    codes: int


async def sign_everybody_out(pool: Pool, before: datetime, at: datetime) -> SignedOut:
    """End what was good `before` the restore was noticed; who has signed in since stays signed in."""
    async with pool.connection() as connection, connection.cursor(row_factory=args_row(SignedOut)) as cursor:
        found = await (await cursor.execute(SQL.end_signed_in, {"before": before, "at": at})).fetchone()
    assert found is not None, "counting gives one row"
    return found


async def revoke_all_api_keys(pool: Pool, before: datetime, at: datetime) -> int:
    """Revoke every key for programs that was made `before` the restore was noticed; return how many."""
    async with pool.connection() as connection:
        return (await connection.execute(SQL.revoke_api_keys, {"before": before, "at": at})).rowcount
