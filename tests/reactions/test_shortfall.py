"""A payout or refund that the processor's balance does not cover says so, and what is needed, until it is sent."""

from uuid import UUID

from domain.transaction.commands import CancelTransaction
from domain.transaction.phase import Phase
from projections.alert import AlertRow, list_alerts
from projections.payout import list_payouts_of
from projections.refund import list_refunds_of
from projections.transaction import get_transaction
from tests.conftest import Database
from tests.reactions.working import fold
from tests.reactions.world import World, run


async def shortfalls(world: World) -> list[AlertRow]:
    return await list_alerts(world.pool, kind="balance_insufficient")


async def stuck_reason(world: World, transaction_id: UUID) -> str | None:
    """What the table says, which is what the aggregate says."""
    row = await get_transaction(world.pool, transaction_id)
    assert row is not None
    assert row.stuck_reason == (await world.transaction(transaction_id)).stuck_reason
    return row.stuck_reason


def test_a_payout_that_waits_for_a_top_up_says_so_once_with_the_amount(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        await world.top_up(-60_000)
        versions: list[int] = []
        for _ in range(3):
            transaction = await world.advance(transaction_id)
            versions.append(transaction.version)
            world.wait(seconds=30)
        assert len(set(versions)) == 1, "asking again is no news"
        fold(database)
        assert await stuck_reason(world, transaction_id) == "payout_waiting_for_balance: 90000 KES"
        (alert,) = await shortfalls(world)
        (payout,) = await list_payouts_of(world.pool, transaction_id)
        assert (alert.severity, alert.subject, alert.transaction_id) == ("P1", payout.reference, transaction_id)
        assert (alert.amount_minor, alert.detail) == (90_000, "the payout waits: top up KES")
        assert (payout.status, payout.waiting_since) == ("requested", alert.created_at)

        await world.top_up(60_000)
        assert (await world.advance(transaction_id)).phase is Phase.COMPLETED
        fold(database)
        assert await stuck_reason(world, transaction_id) is None
        (payout,) = await list_payouts_of(world.pool, transaction_id)
        assert (payout.status, payout.waiting_since) == ("succeeded", None)
        assert len(await shortfalls(world)) == 1

    run(database.app_dsn, story)


def test_a_refund_that_waits_for_a_top_up_says_so_once_with_the_amount(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.do(world.as_buyer, transaction_id, CancelTransaction(reason="changed my mind"))
        await world.do(world.as_seller, transaction_id, CancelTransaction(reason="agreed"))
        await world.top_up(-60_000)
        assert (await world.advance(transaction_id)).version == (await world.advance(transaction_id)).version
        fold(database)
        assert await stuck_reason(world, transaction_id) == "refund_waiting_for_balance: 100000 KES"
        (alert,) = await shortfalls(world)
        (refund,) = await list_refunds_of(world.pool, transaction_id)
        assert (alert.amount_minor, alert.detail) == (100_000, "the refund waits: top up KES")
        assert (refund.status, refund.waiting_since) == ("approved", alert.created_at)

        await world.top_up(60_000)
        world.wait(minutes=2)
        await world.advance(transaction_id)
        fold(database)
        assert await stuck_reason(world, transaction_id) is None
        (refund,) = await list_refunds_of(world.pool, transaction_id)
        assert (refund.status, refund.waiting_since) == ("processed", None)

    run(database.app_dsn, story)


def test_a_payout_that_is_covered_raises_none(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        await world.advance(transaction_id)
        fold(database)
        assert await shortfalls(world) == []

    run(database.app_dsn, story)
