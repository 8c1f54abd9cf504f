"""However many ask for the payment page at once, one page is opened and all of them get it."""

import asyncio
from datetime import timedelta
from typing import cast

import pytest

from domain.transaction.payment import PaymentAttemptFailed
from domain.transaction.phase import Phase
from gateways.errors import GatewayError
from gateways.payment import ChargeLink, NewCharge
from reactions import payment_page
from reactions.payment_page import PaymentPage, PaymentPageOpening
from reactions.toolbox import Processor
from tests.conftest import Database
from tests.reactions.world import World, open_world, run

AT_ONCE = 5


async def ask_at_once(world: World) -> tuple[list[PaymentPage], list[BaseException]]:
    """What each of five gets who ask, each with a key of its own, for a page that nobody has asked for before."""
    transaction_id = await world.open()
    answers = await asyncio.gather(*(world.page(transaction_id) for _ in range(AT_ONCE)), return_exceptions=True)
    pages = [answer for answer in answers if isinstance(answer, PaymentPage)]
    return pages, [answer for answer in answers if isinstance(answer, BaseException)]


async def count_refusals(world: World) -> int:
    async with world.pool.connection() as connection:
        query = "SELECT count(*) FROM escrow_events WHERE topic = %s"
        row = await (await connection.execute(query, (PaymentAttemptFailed.TOPIC,))).fetchone()
        assert row is not None
        return int(row[0])


class Slow:
    """The processor's answer about a page is a while under way: whoever asks a second time is told of a duplicate."""

    def __init__(self, real: Processor) -> None:
        self._real = real

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    async def initialize(self, new: NewCharge) -> ChargeLink:
        link = await self._real.initialize(new)
        await asyncio.sleep(0.2)
        return link


def test_those_who_ask_at_once_get_one_page(database: Database) -> None:
    async def story(world: World) -> None:
        pages, errors = await ask_at_once(world)
        assert errors == []
        assert len(pages) == AT_ONCE
        assert len({page.authorization_url for page in pages}) == 1
        transaction = await world.transaction(pages[0].result.aggregate.id)
        assert (transaction.payment_attempts, transaction.payment_link_issued) == (1, True)
        assert await count_refusals(world) == 0

    async def tell() -> None:
        async with open_world(database.app_dsn, lambda real: cast("Processor", Slow(real))) as world:
            await story(world)

    asyncio.run(tell())


def test_where_the_address_is_lost_the_others_get_one_page_under_the_next_reference(database: Database) -> None:
    async def story(world: World) -> None:
        await world.fault("initialize", "500_after_commit")
        pages, errors = await ask_at_once(world)
        assert [isinstance(error, GatewayError) for error in errors] == [True]
        assert len({page.authorization_url for page in pages}) == 1
        transaction = await world.transaction(pages[0].result.aggregate.id)
        assert {page.reference for page in pages} == {transaction.payment_reference}
        assert (transaction.payment_attempts, await count_refusals(world)) == (2, 1)

    run(database.app_dsn, story)


def test_a_page_whose_address_was_lost_is_replaced_under_a_new_reference(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open()
        await world.fault("initialize", "500_after_commit")
        with pytest.raises(GatewayError):
            await world.page(transaction_id)
        page = await world.pay(transaction_id)
        transaction = await world.advance(transaction_id)
        assert transaction.phase is Phase.FUNDS_HELD
        assert transaction.payment_attempts == 2
        assert page.reference == transaction.payment_reference

    run(database.app_dsn, story)


def test_whoever_died_while_opening_the_page_holds_the_others_up_for_a_while(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment_page, "PATIENCE_SECONDS", 0.3)

    async def story(world: World) -> None:
        transaction_id = await world.open()
        await world.fault("initialize", "500_before")
        with pytest.raises(GatewayError):
            await world.page(transaction_id)
        async with world.pool.connection() as connection:
            until = world.clock() + timedelta(seconds=90)
            await connection.execute("UPDATE payment_links SET opening_until = %s", (until,))
        with pytest.raises(PaymentPageOpening):
            await world.page(transaction_id)
        assert await count_refusals(world) == 0
        world.wait(seconds=90)
        page = await world.pay(transaction_id)
        assert (await world.advance(transaction_id)).payment_reference == page.reference

    run(database.app_dsn, story)
