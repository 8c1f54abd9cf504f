"""The access log has several writers: they met the same accesses in another order, and none of them ends another."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from database.connect import Pool, open_pool
from identity.access_log import Access, AccessFilter, Action, Outcome, list_accesses, write_accesses
from identity.housekeeping import forget_accesses
from tests.conftest import Database

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROWS, ROUNDS = 300, 5


def access(number: int, seconds: int) -> Access:
    return Access(
        at=NOON + timedelta(seconds=seconds),
        hour=NOON,
        action=Action.ADMIN_READ,
        outcome=Outcome.GRANTED,
        user_id=UUID(int=number),
        role="admin",
        request_id="request",
        address="10.0.0.1",
        user_agent=None,
    )


@pytest.mark.parametrize("is_cleared", [False, True])
def test_writers_that_met_the_same_accesses_in_another_order_all_write(database: Database, *, is_cleared: bool) -> None:
    one = [(access(n, n), 1) for n in range(ROWS)]
    other = [(access(n, ROWS - n), 1) for n in range(ROWS)]

    async def work(pool: Pool) -> None:
        for _ in range(ROUNDS):
            await asyncio.gather(write_accesses(pool, one), write_accesses(pool, other))
            if is_cleared:
                await asyncio.gather(write_accesses(pool, one), forget_accesses(pool, NOON + timedelta(hours=1)))
                await write_accesses(pool, other)

    async def story() -> None:
        async with open_pool(database.app_dsn, max_size=4, autocommit=True) as pool:
            await work(pool)
            rows = await list_accesses(pool, AccessFilter(), before=None, limit=ROWS + 1)
            assert len(rows) == ROWS
            if not is_cleared:
                assert {row.times for row in rows} == {2 * ROUNDS}

    asyncio.run(story())
