"""Staff are told of a refused question for as long as it stands, and no longer, however it was settled."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

import pytest

from domain.transaction.commands import CancelTransaction
from domain.transaction.records import PayoutStatus
from gateways.errors import GatewayRefused, UnknownReference
from gateways.payment import Refund
from reactions.advance import advance
from reactions.chargeback import follow_chargebacks
from tests.conftest import Database
from tests.reactions.awards import DIVIDED, award, dispute_sale, refund
from tests.reactions.disputes import decide, dispute
from tests.reactions.refusing import alerts, forget, heal, hinder, kinds, refuse_for, sent
from tests.reactions.world import World, run
from tests.waiting import until


def test_single_refusals_hours_apart_tell_staff_nothing(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await sent(world)
        for _ in range(3):
            world.wait(minutes=60)
            hinder(world, "verify_transfer")
            with pytest.raises(GatewayRefused):
                await advance(world.tools, transaction_id)
            heal(world, "verify_transfer")
            await world.advance(transaction_id)
        assert await alerts(world, database) == []

    run(database.app_dsn, story)


@pytest.mark.parametrize("by", ["webhook", "the end of the sale"])
def test_the_alert_of_a_charge_ends_when_nobody_asks_about_it_any_more(database: Database, by: str) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open()
        await world.pay(transaction_id)
        hinder(world, "verify_charge")
        await refuse_for(world, transaction_id, minutes=10)
        reference = (await world.transaction(transaction_id)).payment_reference
        assert [alert.subject for alert in await alerts(world, database)] == [reference]
        if by == "webhook":
            heal(world, "verify_charge")
            await advance(world.tools, transaction_id, reference)
        else:
            await world.do(world.as_buyer, transaction_id, CancelTransaction(reason="changed my mind"))
            await advance(world.tools, transaction_id)
        assert (await world.transaction(transaction_id)).refused_questions == {}
        assert world.tools.refused_since == {}
        assert await kinds(world, database) == ["question_answered", "question_refused"]

    run(database.app_dsn, story)


@pytest.mark.parametrize(("question", "outcome"), [("fetch_chargeback", "lost"), ("open_upload", "won")])
def test_the_alert_of_a_chargeback_ends_when_it_is_decided(database: Database, question: str, outcome: str) -> None:
    """A list told of the end that no question was answered about; a person answered at the processor's dashboard."""

    async def story(world: World) -> None:
        await world.top_up(500_000)
        transaction_id = await world.release()
        reference, number = await dispute(world, transaction_id)
        hinder(world, question)
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        await refuse_for(world, transaction_id, minutes=10)
        await decide(world, number, outcome)
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        transaction = await world.transaction(transaction_id)
        assert transaction.open_disputes == ()
        assert transaction.refused_questions == {}
        asked = {"fetch_chargeback": [number, f"answer to {number}"], "open_upload": [f"answer to {number}"]}[question]
        told = sorted((alert.subject, alert.kind) for alert in await alerts(world, database))
        assert told == [(each, kind) for each in asked for kind in ("question_answered", "question_refused")]

    run(database.app_dsn, story)


def test_staff_are_told_of_a_chargeback_that_the_processor_knows_no_more_and_money_moves(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(500_000)
        transaction_id = await award(world, DIVIDED)
        reference, number = await dispute(world, transaction_id)
        await world.fault("refund", "500_before", times=9)
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        hinder(world, "fetch_chargeback", forget)
        await world.panel.delete("/_sim/faults")
        for minutes in (3, 10):
            world.wait(minutes=minutes)
            await advance(world.tools, transaction_id)
        assert await world.moved("refund") == [-10_000]
        (alert,) = await alerts(world, database)
        assert (alert.subject, alert.detail) == (number, "gateway_unknown_reference")

    run(database.app_dsn, story)


async def failed_of_debtor(world: World) -> tuple[UUID, str]:
    """A sale whose seller owes on another one, and its payout that failed; what became of it is refused, and noted."""
    await world.top_up(500_000)
    debt = await world.release()
    await world.advance(debt)
    sale = await world.release()
    await world.fault("transfer", "fail")
    transaction = await until(
        lambda: world.advance(sale), lambda it: [one.status for one in it.payouts.values()] == [PayoutStatus.FAILED]
    )
    (payout,) = transaction.payouts
    await refund(world, debt)
    hinder(world, "verify_transfer")
    world.wait(minutes=60)
    with pytest.raises(GatewayRefused):
        await advance(world.tools, sale)
    world.wait(minutes=10)
    with suppress(GatewayRefused):  # to note it is a change, and whoever pays goes no further then
        await advance(world.tools, sale)
    return sale, payout


def test_a_refusal_to_say_what_a_seller_has_who_owes_is_told_of_the_payout_in_question(database: Database) -> None:
    async def story(world: World) -> None:
        sale, payout = await failed_of_debtor(world)
        (alert,) = await alerts(world, database)
        assert (alert.subject, alert.detail) == (payout, "not_today")
        assert (await world.transaction(sale)).withheld_minor == 0
        assert await world.moved("transfer") == [-90_000, -90_000]

    run(database.app_dsn, story)


def test_only_a_chargeback_that_is_not_known_is_passed_over_not_what_it_took(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chargeback is over; the list of refunds, which tells what was taken, answers with a 404."""

    async def story(world: World) -> None:
        await world.top_up(500_000)
        transaction_id = await world.release()
        reference, number = await dispute(world, transaction_id)
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        await decide(world, number, "lost")

        async def forget_refunds(*, since: datetime) -> list[Refund]:
            raise UnknownReference(f"none since {since}", http_status=404)

        monkeypatch.setattr(world.tools.gateway, "list_refunds", forget_refunds, raising=False)
        with pytest.raises(UnknownReference):
            await follow_chargebacks(world.tools, await world.transaction(transaction_id))
        monkeypatch.undo()
        transaction = await world.advance(transaction_id)
        assert transaction.open_disputes == ()

    run(database.app_dsn, story)


def test_the_question_about_what_failed_for_good_is_asked_until_it_is_answered(database: Database) -> None:
    """Once refused, it is not forgotten although nothing is sent any more: by hand, or because of a dispute."""

    async def story(world: World) -> None:
        sale, _ = await failed_of_debtor(world)
        await dispute_sale(world, sale)
        with suppress(GatewayRefused):
            await advance(world.tools, sale)
        assert len((await world.transaction(sale)).refused_questions) == 1
        heal(world, "verify_transfer")
        assert (await world.advance(sale)).refused_questions == {}
        assert await world.moved("transfer") == [-90_000, -90_000]

    run(database.app_dsn, story)


def test_a_webhook_of_a_transfer_is_not_done_with_while_its_own_question_is_refused(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await sent(world)
        (payout,) = (await world.transaction(transaction_id)).payouts
        hinder(world, "verify_transfer")
        with pytest.raises(GatewayRefused):
            await advance(world.tools, transaction_id, payout)

    run(database.app_dsn, story)


def test_a_webhook_is_done_with_although_something_else_is_refused(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.release()
        reference, _ = await dispute(world, transaction_id)
        hinder(world, "open_upload")
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        with pytest.raises(GatewayRefused):
            await advance(world.tools, transaction_id)
        hinder(world, "verify_charge")
        with pytest.raises(GatewayRefused):
            await advance(world.tools, transaction_id, reference, is_disputed=True)

    run(database.app_dsn, story)
