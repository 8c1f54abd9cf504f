"""Clearing away what identity needs no more: sessions and keys that ended long ago, old tokens and tries."""

import asyncio
from datetime import datetime, timedelta

import structlog
from psycopg import Error

from database.connect import Pool
from database.errors import DatabaseUnavailable
from domain.ids import Clock
from identity.access_log import delete_old_accesses
from identity.api_key import delete_ended_keys
from identity.notification import delete_old_notifications
from identity.password_reset import delete_old_resets
from identity.session import delete_ended_sessions
from identity.tries import delete_old_tries

KEPT_FOR = timedelta(days=30)
PAUSE_SECONDS = 3600.0

logger = structlog.get_logger("identity")


async def keep_house(pool: Pool, clock: Clock, accesses_kept_for: timedelta) -> None:
    """Clear away once an hour until cancelled; a database that is away is met again an hour later."""
    while True:
        try:
            sessions, keys, tries = await clear_away(pool, clock)
            accesses = await forget_accesses(pool, clock() - accesses_kept_for)
            logger.info("cleared_away", sessions=sessions, keys=keys, tries=tries, accesses=accesses)
        except (Error, DatabaseUnavailable) as error:
            logger.warning("not_cleared_away", error=type(error).__name__)
        await asyncio.sleep(PAUSE_SECONDS)


async def clear_away(pool: Pool, clock: Clock) -> tuple[int, int, int]:
    """Delete what is of no use any more; return how many sessions, API keys and tries there were.

    Sessions with their tokens, API keys and messages go 30 days after they ended, tries and tokens for a new password
    once they count no more.
    """
    at = clock()
    await delete_old_resets(pool, at=at)
    async with pool.connection() as connection:
        sessions = await delete_ended_sessions(connection, at - KEPT_FOR)
        keys = await delete_ended_keys(connection, at - KEPT_FOR)
        await delete_old_notifications(connection, at - KEPT_FOR)
    return sessions, keys, await delete_old_tries(pool, at=at)


async def forget_accesses(pool: Pool, before: datetime) -> int:
    """Delete who read what before a moment; return how many rows."""
    async with pool.connection() as connection, connection.transaction():
        return await delete_old_accesses(connection, before)
