"""A payout or refund that the processor's balance does not cover raises an alert with what is needed."""

from domain.transaction.commands import CancelTransaction
from domain.transaction.phase import Phase
from projections.alert import AlertRow, list_alerts
from tests.conftest import Database
from tests.reactions.world import World, run


async def shortfalls(world: World) -> list[AlertRow]:
    return await list_alerts(world.pool, kind="balance_insufficient")


def test_a_payout_that_waits_for_a_top_up_raises_one_alert_with_the_amount(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        await world.top_up(-60_000)
        for _ in range(3):
            transaction = await world.advance(transaction_id)
            world.wait(seconds=30)
        (alert,) = await shortfalls(world)
        (payout,) = transaction.payouts.values()
        assert (alert.severity, alert.subject, alert.transaction_id) == ("P1", payout.reference, transaction_id)
        assert (alert.amount_minor, alert.detail) == (90_000, "the payout waits: top up KES")
        await world.top_up(60_000)
        assert (await world.advance(transaction_id)).phase is Phase.COMPLETED
        (alert,) = await shortfalls(world)
        assert alert.detail == "the payout in KES waits no longer"

    run(database.app_dsn, story)


def test_a_refund_that_waits_for_a_top_up_raises_one_alert_with_the_amount(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.do(world.as_buyer, transaction_id, CancelTransaction(reason="changed my mind"))
        await world.do(world.as_seller, transaction_id, CancelTransaction(reason="agreed"))
        await world.top_up(-60_000)
        await world.advance(transaction_id)
        (alert,) = await shortfalls(world)
        assert (alert.amount_minor, alert.detail) == (100_000, "the refund waits: top up KES")
        await world.top_up(60_000)
        await world.advance(transaction_id)
        assert [alert.detail for alert in await shortfalls(world)] == ["the refund in KES waits no longer"]

    run(database.app_dsn, story)


def test_a_payout_that_is_covered_raises_none(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        await world.advance(transaction_id)
        assert await shortfalls(world) == []

    run(database.app_dsn, story)
