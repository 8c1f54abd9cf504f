"""Reading tables for people: one row, or a page of them.

Every query lists its columns, in the order of the fields of its row, although another query lists the same: so each can
be read, run and planned by itself, and a column that was added to one only is an error of the first test that reads.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString, TypeVar
from uuid import UUID

from psycopg.rows import args_row
from psycopg.sql import Composed

from database.connect import Pool

T = TypeVar("T")

Moment = tuple[datetime, UUID]
"""The place of a row in a list by time: when it was made, and its id."""


async def fetch_one(pool: Pool, kind: type[T], query: LiteralString, parameters: Mapping[str, object]) -> T | None:
    """Return the row as this kind, whose fields are the columns in order; None when there is none."""
    async with pool.connection() as connection, connection.cursor(row_factory=args_row(kind)) as cursor:
        return await (await cursor.execute(query, parameters)).fetchone()


async def fetch_all(
    pool: Pool, kind: type[T], query: LiteralString | Composed, parameters: Mapping[str, object]
) -> list[T]:
    """Return the rows as this kind, whose fields are the columns in order."""
    async with pool.connection() as connection, connection.cursor(row_factory=args_row(kind)) as cursor:
        return await (await cursor.execute(query, parameters)).fetchall()
