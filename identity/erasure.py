"""Erasing a person: asked for, locked, then everything personal at once. Whether it may be, the caller finds out."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from database.connect import Connection, Pool
from database.queries import load
from identity.access_log import forget_addresses
from identity.api_key import revoke_keys
from identity.second_factor import forget_guesses
from identity.session import NotSignedIn, end_sessions

SQL = load("identity", "erasure.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A row of `erasures`."""

    user_id: UUID
    requested_at: datetime
    erased_at: datetime | None


async def request_erasure(connection: Connection, user_id: UUID, at: datetime) -> None:
    """Ask for it; the first request stands."""
    await connection.execute(SQL.request_erasure, {"user_id": user_id, "at": at})


async def withdraw_erasure(connection: Connection, user_id: UUID) -> bool:
    """Take the request back; False when there is none, or when it is being carried out."""
    return (await connection.execute(SQL.withdraw_erasure, (user_id,))).rowcount == 1


async def find_erasure(connection: Connection, user_id: UUID) -> Erasure | None:
    """How far it is; None for somebody who never asked."""
    cursor = connection.cursor(row_factory=class_row(Erasure))
    await cursor.execute(SQL.find_erasure, (user_id,))
    return await cursor.fetchone()


async def list_waiting_erasures(connection: Connection) -> list[UUID]:
    """Who asked and is not erased, in the order in which they asked."""
    cursor = await connection.execute(SQL.list_waiting)
    return [row[0] for row in await cursor.fetchall()]


async def lock_for_erasure(pool: Pool, user_id: UUID, at: datetime) -> bool:
    """Let nobody sign in as this user and end what is signed in; again changes nothing.

    False, and nothing is done, where there is no request any more: from the lock on it cannot be taken back.
    """
    async with pool.connection() as connection, connection.transaction():
        if not (await connection.execute(SQL.lock_user, {"user_id": user_id, "at": at})).rowcount:
            return False
        await end_sessions(connection, user_id, at, reason="disabled")
        await revoke_keys(connection, user_id, at)
    return True


async def require_unlocked(connection: Connection, user_id: UUID) -> None:
    """Keep somebody from being locked until the end of the transaction, so that nothing of his is kept after it.

    For what may take longer than an erasure waits. Raises NotSignedIn where he was locked or disabled meanwhile.
    """
    if await (await connection.execute(SQL.hold_unlocked, (user_id,))).fetchone() is None:
        raise NotSignedIn


async def unlock_after_all(pool: Pool, user_id: UUID) -> None:
    """Let the user sign in again, unless he was disabled before; the request stays."""
    async with pool.connection() as connection, connection.transaction():
        await connection.execute(SQL.unlock_user, {"user_id": user_id})


async def erase_personal_data(pool: Pool, user_id: UUID, at: datetime) -> bool:
    """Erase everything personal of a user who was locked; False when that was done before."""
    async with pool.connection() as connection, connection.transaction():
        await forget_guesses(connection, user_id)
        row = await (await connection.execute(SQL.erase, {"user_id": user_id, "at": at})).fetchone()
        if row == (True,):
            await forget_addresses(connection, user_id)
    return row == (True,)
