"""A refund is ordered once, whoever dies after the order or gives it at the same moment: its list shows it late."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import cast
from uuid import UUID

import pytest

from domain.transaction.dispute import Award
from domain.transaction.phase import Phase
from domain.transaction.records import Finding, RefundStatus
from gateways.payment import NewRefund, Refund
from projections.alert import list_alerts
from reactions.advance import advance
from reactions.toolbox import Processor
from tests.conftest import Database
from tests.reactions.awards import REASON, award
from tests.reactions.working import fold
from tests.reactions.world import SECRET, World, open_world


class Late:
    """Stands before the processor: its list may not show yet what was ordered, and whoever orders may die of it.

    Or be told of another refund.
    """

    def __init__(self, real: Processor) -> None:
        self._real = real
        self.shows = False
        self.kills = False
        self.confuses = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    async def list_refunds(self, *, since: datetime) -> tuple[Refund, ...]:
        shown = await self._real.list_refunds(since=since)
        return shown if self.shows else ()

    async def create_refund(self, new: NewRefund) -> Refund:
        made = await self._real.create_refund(new)
        if self.kills:
            raise asyncio.CancelledError
        return replace(made, merchant_note="rf-another") if self.confuses else made


def tell(database: Database, story: Callable[[World, Late], Awaitable[None]]) -> None:
    async def begin() -> None:
        late: list[Late] = []

        def wrap(real: Processor) -> Processor:
            late.append(Late(real))
            return cast("Processor", late[0])

        async with open_world(database.app_dsn, wrap) as world:
            await world.top_up(1_000_000)
            await story(world, late[0])

    asyncio.run(begin())


async def divide(world: World) -> UUID:
    """A second refund of this share would be taken: the charge covers it."""
    return await award(
        world, Award(finding=Finding.UNCLEAR, reason=REASON, to_buyer_minor=40_000, to_seller_minor=50_000)
    )


async def until_over(world: World, transaction_id: UUID) -> int:
    """Return how many minutes it took."""
    for minutes in range(10):
        if (await world.advance(transaction_id)).phase is Phase.SPLIT:
            return minutes
        world.wait(minutes=1)
    raise AssertionError("it was never divided")


@pytest.mark.guarantee(
    "G3", faults="the worker dies after it ordered a refund that the list does not show yet", runs="1"
)
def test_whoever_leads_after_the_death_does_not_order_it_again_before_it_shows(database: Database) -> None:
    async def story(world: World, late: Late) -> None:
        transaction_id = await divide(world)
        late.kills = True
        with suppress(asyncio.CancelledError):
            await world.advance(transaction_id)
        late.kills = False
        for _ in range(3):
            world.wait(seconds=20)
            await world.advance(transaction_id)
        late.shows = True
        await until_over(world, transaction_id)
        assert await world.moved("refund") == [-40_000]

    tell(database, story)


@pytest.mark.guarantee("G3", faults="a question by hand while the worker orders the refund", runs="4 at once")
def test_of_those_who_order_it_at_the_same_moment_one_does(database: Database) -> None:
    async def story(world: World, late: Late) -> None:
        transaction_id = await divide(world)
        # Of those who order the payout at the same moment all but one are refused.
        await asyncio.gather(*(advance(world.tools, transaction_id) for _ in range(4)), return_exceptions=True)
        late.shows = True
        await until_over(world, transaction_id)
        assert await world.moved("refund") == [-40_000]

    tell(database, story)


@pytest.mark.guarantee("G3", faults="the answer to the order of a refund is about another one", runs="10 minutes")
def test_what_was_answered_with_another_refund_is_looked_for_and_never_ordered_again(database: Database) -> None:
    async def story(world: World, late: Late) -> None:
        transaction_id = await divide(world)
        late.confuses = True
        for _ in range(10):
            (refund,) = (await world.advance(transaction_id)).refunds.values()
            assert (refund.status, refund.processor_refund_id) == (RefundStatus.UNCERTAIN, None)
            world.wait(minutes=1)
        fold(database)
        (alert,) = await list_alerts(world.pool, kind="refund_uncertain")
        assert (alert.severity, alert.subject, alert.detail) == (
            "P1",
            refund.reference,
            "gateway_outcome_mismatched",
        )
        late.shows = True
        await until_over(world, transaction_id)
        assert await world.moved("refund") == [-40_000]

    tell(database, story)


def test_staff_are_told_once_also_when_the_order_before_was_not_answered(database: Database) -> None:
    """And a refund that they make on the processor's dashboard, under its reference, is found."""

    async def story(world: World, late: Late) -> None:
        late.shows = True
        transaction_id = await divide(world)
        await world.fault("refund", "500_before")
        (refund,) = (await world.advance(transaction_id)).refunds.values()
        fold(database)
        assert await list_alerts(world.pool, kind="refund_uncertain") == []
        by_hand = {"transaction": refund.charge_reference, "amount": refund.amount_minor}
        key = {"Authorization": f"Bearer {SECRET.reveal()}"}
        assert (await world.panel.post("/refund", json=by_hand, headers=key)).status_code == 200
        for _ in range(4):
            world.wait(minutes=1)
            await world.advance(transaction_id)
        fold(database)
        (alert,) = await list_alerts(world.pool, kind="refund_uncertain")
        assert (alert.subject, alert.detail) == (refund.reference, "gateway_refund_ambiguous")
        by_hand["merchant_note"] = refund.reference
        assert (await world.panel.post("/refund", json=by_hand, headers=key)).status_code == 200
        assert await until_over(world, transaction_id) == 0
        fold(database)
        (closed,) = await list_alerts(world.pool, kind="refund_doubt_resolved")
        assert (closed.severity, closed.subject, closed.detail) == ("P3", alert.subject, alert.detail)

    tell(database, story)


def test_what_was_not_made_is_ordered_again_two_minutes_later(database: Database) -> None:
    async def story(world: World, late: Late) -> None:
        late.shows = True
        transaction_id = await divide(world)
        await world.fault("refund", "500_before")
        assert await until_over(world, transaction_id) == 2
        assert await world.moved("refund") == [-40_000]

    tell(database, story)
