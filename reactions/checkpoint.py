"""How far each reader of the log in this room has come: who follows it, who watches it, who tells of it."""

from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from database.connect import Pool
from database.queries import load

SQL = load("reactions", "checkpoint.sql")


async def get_checkpoint(pool: Pool, name: str) -> int:
    """Return the position up to which this reader has come, 0 before its first event."""
    async with pool.connection() as connection:
        row = await (await connection.execute(SQL.get, (name,))).fetchone()
    return row[0] if row else 0


async def save_checkpoint(connection: AsyncConnection[TupleRow], name: str, position: int, at: datetime) -> None:
    """Remember how far this reader has come, in the transaction that keeps what it made of it."""
    await connection.execute(SQL.save, {"name": name, "position": position, "at": at})
