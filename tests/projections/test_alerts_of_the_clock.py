"""Alerts that nobody records: they stand there for as long as what they are about goes on waiting."""

from datetime import timedelta
from uuid import UUID, uuid4

from domain.transaction.commands import OpenDispute, WithdrawDispute
from domain.transaction.records import DisputeCategory
from gateways.paystack.webhook import signature
from projections.alert import AlertRow, list_alerts
from reactions import inbox
from reactions.inbox import Postponement, receive
from reactions.refusals import Refusals
from tests.conftest import Database
from tests.reactions.world import SECRET
from tests.reconciliation.world import Business, run

LEFT = b'{"event": "charge.success", "data": {"reference": "ch-of-nobody"}}'


async def alerts(business: Business, kind: str) -> list[AlertRow]:
    business.fold()
    return await list_alerts(business.world.pool, kind=kind, at=business.world.clock())


async def dispute(business: Business) -> tuple[UUID, UUID]:
    world, dispute_id = business.world, uuid4()
    transaction_id = await world.hold()
    opened = OpenDispute(dispute_id=dispute_id, category=DisputeCategory.NOT_WORKING)
    await world.do(world.as_buyer, transaction_id, opened)  # type: ignore[arg-type]
    return transaction_id, dispute_id


def test_a_dispute_that_nobody_decides_is_raised_anew_each_day_from_the_fourteenth_on(database: Database) -> None:
    async def story(business: Business) -> None:
        transaction_id, dispute_id = await dispute(business)
        opened_at = business.world.at
        business.world.wait(days=14, seconds=-1)
        assert await alerts(business, "dispute_undecided") == []
        for days in (14, 15):
            business.world.at = opened_at + timedelta(days=days, hours=3)
            (raised,) = await alerts(business, "dispute_undecided")
            assert (raised.severity, raised.subject, raised.transaction_id) == ("P1", str(dispute_id), transaction_id)
            assert (raised.detail, raised.raised_at) == (
                f"undecided for {days} days",
                opened_at + timedelta(days=days),
            )
        await business.world.do(business.world.as_buyer, transaction_id, WithdrawDispute(dispute_id=dispute_id))  # type: ignore[arg-type]
        assert await alerts(business, "dispute_undecided") == []

    run(database, story)


def test_webhooks_that_wait_or_fail_for_long_are_an_alert_until_they_are_worked_off(database: Database) -> None:
    async def story(business: Business) -> None:
        world = business.world
        await receive(world.pool, SECRET, world.clock, LEFT, signature(SECRET, LEFT), Refusals())
        world.wait(minutes=5)
        assert await alerts(business, "webhooks_waiting") == []
        world.wait(seconds=1)
        (raised,) = await alerts(business, "webhooks_waiting")
        assert (raised.severity, raised.detail) == ("P1", "1 deliveries: does escrow worker run?")
        for _ in range(8):
            async with world.pool.connection() as connection:
                (delivery,) = await inbox.list_waiting(connection, world.clock)
            await inbox.postpone(world.pool, world.clock, [Postponement(delivery, "gateway_unavailable")])
            world.wait(minutes=10)
        (raised,) = await alerts(business, "webhooks_waiting")
        assert raised.detail == "1 deliveries: gateway_unavailable"
        await inbox.conclude(world.pool, world.clock, [inbox.Conclusion(delivery, "unmatched", None)])
        assert await alerts(business, "webhooks_waiting") == []

    run(database, story)
