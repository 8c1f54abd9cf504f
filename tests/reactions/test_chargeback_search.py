"""Chargebacks that no webhook told of are found, whenever they came and whatever has become of them since."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from inspect import iscoroutinefunction
from typing import cast
from uuid import UUID

import pytest

from domain.transaction.phase import Phase
from gateways.chargeback import Chargeback, ChargebackStatus
from gateways.errors import GatewayUnavailable
from reactions.chargeback_search import look_for_chargebacks, remember_look
from reactions.recovery import take_up
from reactions.toolbox import Processor
from tests.conftest import Database
from tests.reactions.street import Street, open_street, tell


class Counting:
    """Counts what the processor is asked; `broken` names a question that gets no answer."""

    def __init__(self, real: Processor) -> None:
        self._real = real
        self.calls: Counter[str] = Counter()
        self.broken = ""

    def __getattr__(self, name: str) -> object:
        found = getattr(self._real, name)
        if not iscoroutinefunction(found):
            return found

        async def counted(*positional: object, **named: object) -> object:
            self.calls[name] += 1
            if name == self.broken:
                raise GatewayUnavailable
            return await found(*positional, **named)

        return counted


@asynccontextmanager
async def counted_street(database: Database) -> AsyncGenerator[tuple[Street, Counting]]:
    counting: list[Counting] = []

    def wrap(real: Processor) -> Processor:
        counting.append(Counting(real))
        return cast("Processor", counting[0])

    async with open_street(database.app_dsn, wrap) as street:
        yield street, counting[0]


async def lost(street: Street) -> UUID:
    """A sale with a chargeback that came and was lost while nobody looked."""
    transaction_id = await street.world.hold()
    await street.decide(await street.dispute(transaction_id), "lost")
    return transaction_id


def test_one_that_came_and_went_between_two_looks_is_found(database: Database) -> None:
    async def story(street: Street) -> None:
        first = await lost(street)
        assert (await street.poll(first)).phase is Phase.CHARGED_BACK
        await street.pass_time(days=40)
        second = await lost(street)
        await street.pass_time(days=3)
        assert (await street.poll(second)).phase is Phase.CHARGED_BACK

    tell(database.app_dsn, story)


def test_what_is_over_is_not_asked_about_again(database: Database) -> None:
    async def begin() -> None:
        async with counted_street(database) as (street, counting):
            for _ in range(3):
                await lost(street)
            await street.worker.poll_chargebacks()
            await street.pass_time(days=2)
            counting.calls.clear()
            await street.worker.poll_chargebacks()
            assert counting.calls == {"list_chargebacks": 4}

    asyncio.run(begin())


def test_one_that_waits_is_found_however_long_ago_the_last_look_was(database: Database) -> None:
    async def story(street: Street) -> None:
        transaction_id = await street.world.hold()
        await street.dispute(transaction_id, due_seconds=60 * 24 * 3600)
        await street.pass_time(days=50)
        look = await look_for_chargebacks(street.world.tools)
        await remember_look(street.world.tools, look)
        again = await look_for_chargebacks(street.world.tools)
        assert [found.transaction_id for found in again.disputed] == [transaction_id]
        assert (await street.poll(transaction_id)).phase is Phase.DISPUTED
        assert (await look_for_chargebacks(street.world.tools)).disputed == ()

    tell(database.app_dsn, story)


def test_what_the_log_holds_open_is_followed_to_its_end_without_being_searched_for(database: Database) -> None:
    async def story(street: Street) -> None:
        transaction_id = await street.world.hold()
        dispute = await street.dispute(transaction_id, due_seconds=60 * 24 * 3600)
        await street.poll(transaction_id)
        await street.pass_time(days=50)
        await street.decide(dispute, "lost")
        assert (await street.world.advance(transaction_id)).phase is Phase.CHARGED_BACK

    tell(database.app_dsn, story)


def test_a_look_that_could_not_be_recorded_is_taken_again(database: Database) -> None:
    async def begin() -> None:
        async with counted_street(database) as (street, counting):
            transaction_id = await lost(street)
            await street.pass_time(days=3)
            counting.broken = "list_chargebacks_of"
            await street.worker.poll_chargebacks()
            await street.pass_time(days=30)
            counting.broken = ""
            assert (await street.poll(transaction_id)).phase is Phase.CHARGED_BACK

    asyncio.run(begin())


def test_a_chargeback_of_a_charge_that_is_not_ours_concerns_nobody(database: Database) -> None:
    async def story(street: Street) -> None:
        transaction_id = await lost(street)
        for dispute in street.paystack.sim.store.disputes.all():
            dispute.charge_reference = "of-somebody-else"
        assert (await look_for_chargebacks(street.world.tools)).disputed == ()
        assert (await street.poll(transaction_id)).phase is Phase.FUNDS_HELD

    tell(database.app_dsn, story)


class ByNumber:
    """A processor that lists chargebacks with the number of their charge only."""

    def __init__(self, real: Processor) -> None:
        self._real = real

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    async def list_chargebacks(self, *, since: datetime, status: ChargebackStatus | None = None) -> list[Chargeback]:
        listed = await self._real.list_chargebacks(since=since, status=status)
        return [replace(each, charge_reference=None) for each in listed]


@pytest.mark.parametrize("after_a_restore", [False, True])
def test_one_that_is_listed_by_the_number_of_its_charge_is_found(database: Database, *, after_a_restore: bool) -> None:
    async def begin() -> None:
        async with open_street(database.app_dsn, lambda real: cast("Processor", ByNumber(real))) as street:
            transaction_id = await street.world.hold()
            await street.dispute(transaction_id)
            if after_a_restore:
                await take_up(street.world.tools, street.world.at - timedelta(days=3))
            else:
                await street.worker.poll_chargebacks()
            assert (await street.world.transaction(transaction_id)).has_open_dispute

    asyncio.run(begin())
