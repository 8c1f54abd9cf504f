"""Reconciling by itself: by the injected clock, once a day, by one process at a time."""

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest

from reconciliation.nightly import Nightly
from tests.conftest import Database
from tests.reconciliation.world import Business, Tampered, cut_off, run
from tests.waiting import until


async def tick(business: Business, nightly: Nightly, **later: float) -> int:
    business.world.wait(**later)
    business.fold()
    await nightly.work()
    return business.count_runs()


@pytest.mark.weakness("W6")
def test_there_is_one_run_for_each_day_after_the_first(database: Database) -> None:
    async def story(business: Business) -> None:
        nightly = Nightly(business.desk, database.app_dsn)
        await business.world.hold()
        assert await tick(business, nightly, hours=1) == 0
        assert await tick(business, nightly, hours=12) == 0  # one o'clock of the next day
        assert await tick(business, nightly, hours=1) == 1  # two o'clock
        assert await tick(business, nightly, hours=20) == 1
        assert await tick(business, Nightly(business.desk, database.app_dsn), hours=1) == 1
        assert await tick(business, nightly, hours=4) == 2

    run(database, story)


def test_what_the_processor_does_not_answer_is_asked_again_and_nothing_is_concluded(database: Database) -> None:
    async def story(business: Business) -> None:
        honest = business.processor
        business.processor = Tampered(honest, "list_charges", cut_off)
        nightly = Nightly(business.desk, database.app_dsn)
        await business.world.hold()
        assert await tick(business, nightly, days=2) == 0
        business.processor = honest
        nightly = Nightly(business.desk, database.app_dsn)
        assert await tick(business, nightly, minutes=10) == 1

    run(database, story)


class Counting:
    """The processor, and how often it was asked for its settlements: whoever leads begins with them."""

    def __init__(self, processor: Any) -> None:
        self._processor = processor
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._processor, name)

    async def list_settlements(self, *, since: datetime) -> Any:
        self.asked += 1
        return await self._processor.list_settlements(since=since)


def test_of_two_workers_one_leads_and_makes_the_run(database: Database) -> None:
    async def story(business: Business) -> None:
        business.fold()
        counting = business.processor = Counting(business.processor)
        workers = [
            asyncio.create_task(Nightly(business.desk, database.app_dsn, tick_seconds=0.05).run()) for _ in range(2)
        ]
        await asyncio.sleep(0.2)
        business.world.wait(minutes=10)
        await until(lambda: counting.asked)
        await asyncio.sleep(0.5)
        assert counting.asked == 1
        business.world.wait(days=2)
        await until(business.count_runs)
        await asyncio.sleep(0.5)
        assert (counting.asked, business.count_runs()) == (3, 1)
        for worker in workers:
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker

    run(database, story)
