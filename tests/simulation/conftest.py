"""The steps of a seed are one after the other; only the pytest worker's own event loop is needed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

import pytest

from tests.conftest import Database
from tests.simulation.runner import Outcome, open_stage, run_seed
from tests.simulation.world import Plan

T = TypeVar("T")
Play = Callable[[int, Plan], Coroutine[None, None, Outcome]]


@pytest.fixture
def playing(database: Database) -> Callable[[Callable[[Play], Coroutine[None, None, T]]], T]:
    """Run a story that plays seeds on one database."""

    def run(story: Callable[[Play], Coroutine[None, None, T]]) -> T:
        async def tell() -> T:
            async with open_stage(database) as (stage, eraser):
                return await story(lambda seed, plan: run_seed(stage, eraser, seed, plan))

        return asyncio.run(tell())

    return run
