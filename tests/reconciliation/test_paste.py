"""What a person pastes is booked once if it is the same, and booked again if it only looks the same."""

import dataclasses

import pytest

from cli.run.treasury import move_funds
from domain.errors import IdempotencyMismatch
from domain.money import Currency, Money
from domain.treasury import MoveFunds, Movement
from eventstore.log import get_head
from gateways.payment import Balance
from gateways.paystack.sim.state import Behaviour
from tests.conftest import Database
from tests.reconciliation.world import Business, Tampered, run

SALES = 5
MISSING_MINOR = 777


def test_a_settlement_is_booked_once_by_the_worker_and_by_a_person_who_pastes_its_command(database: Database) -> None:
    async def story(business: Business) -> None:
        await business.trade(SALES)
        await business.until_settled()
        business.world.wait(hours=1)
        commands = [one.command for one in (await business.reconcile(dry=True)).outcome.differences]
        printed = [command for command in commands if "charges_settled" in command]
        booked = (await business.reconcile()).booked
        assert 0 < len(printed) <= len(booked)
        before = await get_head(business.world.pool)
        for command in printed:
            assert set(await business.paste(command)) == {True}
        assert await get_head(business.world.pool) == before
        other = MoveFunds(movement=booked[0].movement, amount=Money(1, Currency.KES), evidence=str(booked[0].key))
        with pytest.raises(IdempotencyMismatch):
            await move_funds(business.world.escrow, other)

    run(database, story, Behaviour())


def test_the_same_distance_of_a_whole_account_months_later_is_booked_again(database: Database) -> None:
    async def story(business: Business) -> None:
        for times in (1, 2):
            business.processor = Tampered(business.processor, "balance", gain)
            business.world.wait(hours=24 * 90)
            (found,) = (await business.reconcile(f"run {times}")).outcome.differences
            assert f"{Movement.BALANCE_OVER} --currency KES --amount-minor {MISSING_MINOR} " in found.command
            assert await business.paste(found.command) == [False]
            assert await business.paste(found.command) == [True]
            assert (await business.reconcile(f"after {times}")).outcome.differences == ()

    run(database, story)


def gain(balances: tuple[Balance, ...]) -> tuple[Balance, ...]:
    return tuple(
        dataclasses.replace(each, balance_minor=each.balance_minor + MISSING_MINOR * (each.currency == "KES"))
        for each in balances
    )
