"""A refund whose order was not answered is looked for before it is ordered again, however long ago that was."""

import asyncio
from contextlib import suppress

from domain.transaction.phase import Phase
from domain.transaction.records import RefundStatus
from gateways.errors import GatewayUncertain
from gateways.paystack.sim.server import StandIn, build_sim
from reactions.advance import advance
from tests.conftest import Database
from tests.reactions.world import SECRET, START, World, open_world


def test_a_refund_of_stray_money_is_found_when_the_price_comes_much_later(database: Database) -> None:
    now = [START]

    async def tell(stand_in: StandIn) -> None:
        async with open_world(database.app_dsn, known=stand_in) as world:
            await story(world, stand_in)

    async def story(world: World, stand_in: StandIn) -> None:
        transaction_id = await world.open()
        await world.fault("initialize", "accept_then_timeout")
        with suppress(GatewayUncertain):
            await world.page(transaction_id)
        (first,) = stand_in.sim.store.charges.all()
        second = await world.page(transaction_id)

        await world.fault("*", "other_amount", amount_minor=50_000, match={"reference": first.reference})
        await world.panel.post(f"{stand_in.base_url}/checkout/{first.access_code}", json={"outcome": "success"})
        await world.fault("refund", "accept_then_timeout")
        await advance(world.tools, transaction_id, first.reference)
        refund = next(iter((await world.transaction(transaction_id)).refunds.values()))
        assert refund.status is RefundStatus.UNCERTAIN

        world.wait(days=5)
        now[0] = world.at
        await world.panel.post(second.authorization_url, json={"outcome": "success"})
        await world.advance(transaction_id)
        world.wait(minutes=2)
        transaction = await world.advance(transaction_id)
        assert transaction.phase is Phase.FUNDS_HELD
        assert await world.moved("refund") == [-50_000]
        assert transaction.refunds[refund.reference].status is RefundStatus.PROCESSED
        assert not transaction.payouts

    with StandIn(build_sim(secret=SECRET, seed=1, clock=lambda: now[0])) as stand_in:
        asyncio.run(tell(stand_in))
