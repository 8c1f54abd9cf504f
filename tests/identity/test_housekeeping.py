"""Clearing away goes on for as long as the worker does: it must never be what stops it."""

import asyncio
from datetime import timedelta

import pytest

from database.connect import open_pool
from identity import housekeeping
from identity.housekeeping import keep_house
from tests.identity.conftest import Desk

OLD = "INSERT INTO tries (bucket, tries, blocked_until) VALUES (sha256('old'), 1, '2026-01-01')"
PATIENCE_SECONDS = 15.0


def test_a_database_that_is_away_is_met_again_at_the_next_round(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "PAUSE_SECONDS", 0.05)

    async def scenario() -> None:
        # Nobody has opened it yet: every checkout says that the database is unavailable.
        pool = open_pool(desk.dsn, max_size=2)
        keeping = asyncio.create_task(keep_house(pool, desk.clock, timedelta(days=30)))
        await asyncio.sleep(0.2)
        assert not keeping.done()
        async with pool, asyncio.timeout(PATIENCE_SECONDS):
            async with pool.connection() as connection:
                await connection.execute(OLD)
            while await count_tries(desk):
                await asyncio.sleep(0.05)
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    asyncio.run(scenario())


async def count_tries(desk: Desk) -> int:
    async with open_pool(desk.dsn, max_size=1) as pool, pool.connection() as connection:
        row = await (await connection.execute("SELECT count(*) FROM tries")).fetchone()
    return row[0] if row else 0
