"""How far each reader of the log in this room has come: who follows it, who watches it, who tells of it.

What is done now and then, without reading the log, has a checkpoint too: only its time is of use.
"""

from datetime import datetime

from database.connect import Connection, Pool
from database.queries import load

SQL = load("reactions", "checkpoint.sql")


async def get_checkpoint(pool: Pool, name: str) -> int:
    """Return the position up to which this reader has come, 0 before its first event."""
    async with pool.connection() as connection:
        row = await (await connection.execute(SQL.get, (name,))).fetchone()
    return row[0] if row else 0


async def find_last_time(pool: Pool, name: str) -> datetime | None:
    """Return when this checkpoint was last saved; None for never."""
    async with pool.connection() as connection:
        row = await (await connection.execute(SQL.get, (name,))).fetchone()
    return row[1] if row else None


async def save_checkpoint(connection: Connection, name: str, position: int, at: datetime) -> None:
    """Remember how far this reader has come, in the transaction that keeps what it made of it."""
    await connection.execute(SQL.save, {"name": name, "position": position, "at": at})


async def save_unless_since(pool: Pool, name: str, at: datetime, since: datetime) -> bool:
    """Save the time `at` of what is about to be done, unless somebody was about to do it after `since`.

    True for whoever may do it: committed by then, so that a crash cannot hide it.
    """
    async with pool.connection() as connection:
        cursor = await connection.execute(SQL.save_unless_since, {"name": name, "at": at, "since": since})
        return await cursor.fetchone() is not None


async def forget_time(pool: Pool, name: str, at: datetime) -> None:
    """Take the time `at` back, for it is done; not that of somebody who was about to do it since."""
    async with pool.connection() as connection:
        await connection.execute(SQL.forget_time, {"name": name, "at": at})
