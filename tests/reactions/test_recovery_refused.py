"""What the processor refuses to say after a restore holds back the transaction that it is about, and no other."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.transaction.phase import Phase
from gateways.errors import GatewayRefused
from gateways.payment import Charge
from projections.alert import list_alerts
from projections.external_payment import list_open_payments
from reactions.advance import advance
from reactions.hold import discover
from reactions.recovery import Found, Place, take_up
from tests.conftest import Database
from tests.reactions.holding import send_unheard
from tests.reactions.refusing import alerts, heal, hinder, hinder_about
from tests.reactions.street import Street, tell
from tests.reactions.working import fold
from tests.reactions.world import World


async def take(street: Street, database: Database) -> dict[UUID | None, Found]:
    """What is taken up, as the gate does it, by the transaction."""
    found = await take_up(street.world.tools, street.world.at - timedelta(days=3))
    for each in found:
        if each.place is Place.NONE:
            await discover(street.world.tools, each)
    fold(database)
    return {each.transaction_id: each for each in found}


async def held_by(world: World, transaction_id: UUID) -> list[str]:
    return [row.kind for row in await list_open_payments(world.pool, transaction_id)]


def test_a_payout_of_which_nothing_is_said_holds_back_its_sale_and_no_other(database: Database) -> None:
    async def story(street: Street) -> None:
        world = street.world
        silent, other = await world.release(), await world.release()
        asked = await send_unheard(world, silent, "seller", 90_000)
        await send_unheard(world, other, "seller", 90_000)
        hinder_about(world, "verify_transfer", asked.reference)
        found = await take(street, database)
        assert (found[silent].place, found[other].place) == (Place.NONE, Place.TAKEN)
        assert (await world.advance(other)).phase is Phase.COMPLETED
        for minutes in (10, 0):
            with pytest.raises(GatewayRefused):
                await advance(world.tools, silent)
            world.wait(minutes=minutes)
        assert [alert.subject for alert in await alerts(world, database)] == [asked.reference]
        heal(world, "verify_transfer")
        assert (await world.advance(silent)).phase is Phase.COMPLETED
        assert await world.moved("transfer") == [-90_000, -90_000]

    tell(database.app_dsn, story)


def test_a_charge_of_which_nothing_is_said_holds_back_its_sale_and_no_other(database: Database) -> None:
    async def story(street: Street) -> None:
        world = street.world
        silent, other = await world.open(), await world.open()
        for each in (silent, other):
            await world.pay(each)
        reference = (await world.transaction(silent)).payment_reference
        assert reference is not None
        hinder_about(world, "verify_charge", reference)
        found = await take(street, database)
        assert (found[silent].place, found[other].place) == (Place.NONE, Place.TAKEN)
        assert await held_by(world, silent) == ["charge"]

    tell(database.app_dsn, story)


def test_a_charge_in_a_currency_that_nobody_knows_holds_back_its_sale_and_no_other(database: Database) -> None:
    async def story(street: Street) -> None:
        world = street.world
        strange, other = await world.open(), await world.open()
        for each in (strange, other):
            await world.pay(each)
        reference, verify = (await world.transaction(strange)).payment_reference, world.tools.gateway.verify_charge

        async def translate(asked: str) -> Charge:
            charge = await verify(asked)
            return replace(charge, currency="XAF") if asked == reference else charge

        hinder(world, "verify_charge", translate)  # type: ignore[arg-type]
        found = await take(street, database)
        assert (found[strange].place, found[other].place) == (Place.NONE, Place.TAKEN)

    tell(database.app_dsn, story)


def test_a_payout_that_the_log_has_ordered_is_asked_about_as_on_any_other_day(database: Database) -> None:
    async def story(street: Street) -> None:
        world = street.world
        await world.fault("transfer", "pending")
        transaction_id = await world.release()
        await world.advance(transaction_id)
        (reference,) = (await world.transaction(transaction_id)).payouts
        hinder_about(world, "verify_transfer", reference)
        assert (await take(street, database))[transaction_id].place is Place.KNOWN
        assert await held_by(world, transaction_id) == []

    tell(database.app_dsn, story)


def test_a_chargeback_that_the_log_knows_is_asked_about_as_on_any_other_day(database: Database) -> None:
    async def story(street: Street) -> None:
        world = street.world
        transaction_id = await world.release()
        await street.dispute(transaction_id)
        assert (await street.poll(transaction_id)).has_open_dispute
        hinder(world, "verify_charge")
        assert (await take(street, database))[transaction_id].place is Place.KNOWN
        assert await held_by(world, transaction_id) == []

    tell(database.app_dsn, story)


def test_a_chargeback_of_which_nothing_is_said_holds_back_its_sale_and_no_other(database: Database) -> None:
    async def story(street: Street) -> None:
        world = street.world
        silent, other = await world.release(), await world.release()
        await street.dispute(silent)
        await street.dispute(other)
        reference = (await world.transaction(silent)).payment_reference or ""
        hinder_about(world, "verify_charge", reference)
        assert (await take(street, database))[silent].place is Place.NONE
        assert (await world.transaction(other)).has_open_dispute
        (alert,) = await list_alerts(world.pool, kind="external_payment_discovered")
        assert (alert.severity, alert.transaction_id, alert.subject) == ("P0", silent, reference)
        with pytest.raises(GatewayRefused):
            await advance(world.tools, silent)
        assert await world.moved("transfer") == []
        heal(world, "verify_charge")
        assert (await world.advance(silent)).has_open_dispute
        fold(database)
        assert await held_by(world, silent) == []
        assert await world.moved("transfer") == []

    tell(database.app_dsn, story)


def test_a_chargeback_whose_charge_nobody_names_is_an_alert_and_holds_up_no_other(database: Database) -> None:
    """Paystack gives the number of its charge only, and does not say what that is."""

    async def story(street: Street) -> None:
        world = street.world
        paid = await world.open()
        await world.pay(paid)
        transaction_id = await world.hold()
        there = await street.dispute(transaction_id)
        gateway = world.tools.gateway
        listed = await gateway.list_chargebacks(since=world.at - timedelta(days=1))

        async def list_nameless(**_: object) -> tuple[object, ...]:
            return tuple(replace(each, charge_reference=None) for each in listed)

        hinder(world, "list_chargebacks", list_nameless)  # type: ignore[arg-type]
        hinder(world, "fetch_charge")
        await take(street, database)
        assert (await world.transaction(paid)).phase is Phase.FUNDS_HELD
        told = await list_alerts(world.pool, kind="external_payment_discovered")
        assert [(each.subject, each.transaction_id) for each in told] == [(str(there.id), None)]

    tell(database.app_dsn, story)
