"""A log that was set back to an older state and carried on finds what it had done, and does nothing of it twice."""

import asyncio
from uuid import UUID

import pytest

from domain.transaction.commands import CancelTransaction
from domain.transaction.phase import Phase
from gateways.paystack.sim.server import StandIn, build_sim
from tests.conftest import Database
from tests.reactions.restoring import copy
from tests.reactions.world import SECRET, World, open_world


async def sell_two(world: World) -> tuple[UUID, UUID]:
    """One is to be paid out, one is to be given back; nothing is sent yet."""
    paid, returned = await world.hold(), await world.hold()
    await world.confirm(paid)
    for actor in (world.as_buyer, world.as_seller):
        await world.do(actor, returned, CancelTransaction(reason="called off"))  # type: ignore[arg-type]
    return paid, returned


async def carry_on(world: World, paid: UUID, returned: UUID) -> None:
    for _ in range(3):
        await world.advance(paid)
        await world.advance(returned)
    assert (await world.transaction(paid)).phase is Phase.COMPLETED
    assert (await world.transaction(returned)).phase is Phase.REFUNDED
    assert (await world.transaction(paid)).is_flat
    assert await world.moved("transfer") == [-90_000]
    assert await world.moved("refund") == [-100_000]


@pytest.mark.guarantee("G3", faults="two sales are carried on twice, from a log and from its copy")
def test_a_restored_log_pays_and_refunds_nothing_twice(backup: tuple[Database, str]) -> None:
    database, name = backup

    async def tell(stand_in: StandIn) -> None:
        async with open_world(database.app_dsn, known=stand_in) as world:
            sold = await sell_two(world)
        copy(database, name)
        for dsn in (database.app_dsn, database.app_dsn.replace(database.name, name)):
            async with open_world(dsn, known=stand_in) as world:
                await carry_on(world, *sold)

    with StandIn(build_sim(secret=SECRET, seed=1)) as stand_in:
        asyncio.run(tell(stand_in))
