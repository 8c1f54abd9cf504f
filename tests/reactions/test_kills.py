"""The worker may die before, during and after every call of the processor: what comes of it is the same, once."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from random import Random
from typing import cast
from uuid import UUID

import pytest

from domain.transaction.commands import CancelTransaction
from domain.transaction.phase import Phase
from reactions.toolbox import Processor
from tests.conftest import Database
from tests.reactions.dying import again
from tests.reactions.world import World, open_world

KILLS = 50


class Reaper:
    """Stands before the processor and ends the caller at random, before his call goes out or after it was answered."""

    def __init__(self, real: Processor, random: Random) -> None:
        self._real = real
        self._random = random
        self.kills = 0

    def __getattr__(self, name: str) -> object:
        found = getattr(self._real, name)
        return self._deadly(found) if iscoroutinefunction(found) else found

    def _deadly(self, call: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def called(*positional: object, **named: object) -> object:
            fate = self._random.random()
            if fate < 0.2:
                self._kill()
            answer = await call(*positional, **named)
            if fate > 0.8:
                self._kill()
            return answer

        return called

    def _kill(self) -> None:
        self.kills += 1
        raise asyncio.CancelledError


async def sell(world: World) -> UUID:
    transaction_id = await world.open()
    await again(lambda: world.pay(transaction_id))
    await again(lambda: world.advance(transaction_id))
    return transaction_id


async def finish(world: World, transaction_id: UUID, phase: Phase) -> None:
    """A refund that may be under way is not ordered for two minutes, so time passes between two tries."""
    for _ in range(20):
        await again(lambda: world.advance(transaction_id))
        world.wait(minutes=1)
        if (await world.transaction(transaction_id)).phase is phase:
            return
    raise AssertionError(f"it did not become {phase}: {(await world.transaction(transaction_id)).stuck_reason}")


@pytest.mark.weakness("W19")
@pytest.mark.guarantee(
    "G3", faults="the worker dies before or after two of five calls to the processor", runs=f"2 x {KILLS} deaths"
)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_worker_may_die_at_any_call_and_every_movement_happens_once(database: Database, seed: int) -> None:
    async def tell() -> None:
        reapers: list[Reaper] = []

        def wrap(real: Processor) -> Processor:
            reapers.append(Reaper(real, Random(seed)))
            return cast("Processor", reapers[0])

        async with open_world(database.app_dsn, wrap) as world:
            await world.top_up(1_000_000)
            sales = 0
            while reapers[0].kills < KILLS:
                paid, returned = await sell(world), await sell(world)
                await world.confirm(paid)
                for actor in (world.as_buyer, world.as_seller):
                    await world.do(actor, returned, CancelTransaction(reason="called off"))  # type: ignore[arg-type]
                await finish(world, paid, Phase.COMPLETED)
                await finish(world, returned, Phase.REFUNDED)
                sales += 1
            assert await world.moved("transfer") == [-90_000] * sales
            assert await world.moved("refund") == [-100_000] * sales

    asyncio.run(tell())
