"""What no webhook tells of is found by what the processor lists."""

import pytest

from domain.policy import Terms
from domain.transaction.phase import Phase
from domain.transaction.records import PayoutStatus
from reactions.sweep import list_unheard
from reactions.watch import Watch
from tests.conftest import Database
from tests.reactions.working import fold, until_phase, until_rows, working
from tests.reactions.world import World, run


async def unheard(world: World) -> list[str]:
    return [found.reference async for found in list_unheard(world.tools, Watch(world.tools))]


@pytest.mark.weakness("W9")
def test_a_payment_on_a_page_that_was_given_up_is_found_without_a_webhook(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open(Terms(payment_seconds=3_600))
        page = await world.page(transaction_id)
        world.wait(hours=1)
        assert (await world.advance(transaction_id)).phase is Phase.EXPIRED
        assert await unheard(world) == []
        await world.panel.post(page.authorization_url, json={"outcome": "success"})
        assert await unheard(world) == [page.reference]

        async with working(world, database.app_dsn):
            await until_rows(database, "SELECT status FROM refunds", [("processed",)])
        assert await world.moved("refund") == [-100_000]
        assert await unheard(world) == []

    run(database.app_dsn, story)


def test_a_payout_that_was_taken_back_is_found_without_a_webhook(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        [payout] = (await world.advance(transaction_id)).payouts.values()
        assert payout.status is PayoutStatus.SUCCEEDED
        fold(database)
        assert await unheard(world) == []
        await world.panel.post(f"/_sim/transfers/{payout.reference}", json={"status": "reversed"})
        assert await unheard(world) == [payout.reference]

        async with working(world, database.app_dsn):
            await until_phase(world, transaction_id, Phase.PAYOUT_FAILED)
        [payout] = (await world.transaction(transaction_id)).payouts.values()
        assert payout.status is PayoutStatus.REVERSED
        fold(database)
        assert await unheard(world) == []

    run(database.app_dsn, story)
