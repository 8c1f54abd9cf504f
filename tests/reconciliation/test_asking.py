"""What is ours and differs is asked about and recorded; nothing else is touched."""

from collections.abc import Iterable, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from domain.errors import NotFound
from domain.money import Currency, Money
from domain.transaction.phase import Phase
from gateways.payment import NewRefund
from reactions.asking import ask_about
from reconciliation.asking import Answer, Asked, ask_about_differences
from reconciliation.nightly import Nightly
from tests.conftest import Database
from tests.reconciliation.world import Business, Tampered, alerts, cut_off, run


def ask_of(business: Business) -> Any:
    async def ask(reference: str) -> Answer:
        business.fold()
        return Answer(*await ask_about(business.world.tools, reference))

    return ask


async def ask_all(business: Business) -> tuple[Asked, ...]:
    business.fold()
    return await ask_about_differences(business.desk, ask_of(business))


async def lose_webhooks(business: Business) -> tuple[str, str]:
    """A payment that nobody heard of, and a payout that was taken back in silence; both long ago."""
    world = business.world
    unheard = await world.pay(await world.open())
    sold = await world.hold()
    await world.confirm(sold)
    (payout,) = (await world.advance(sold)).payouts
    await business.move_transfer(payout, "reversed")
    world.wait(days=4)
    return unheard.reference, payout


def test_old_news_of_our_own_is_recorded_without_a_hand(database: Database) -> None:
    async def story(business: Business) -> None:
        references = await lose_webhooks(business)
        strange = NewRefund(
            charge_reference=references[0], amount=Money(100, Currency.KES), merchant_note="by hand in the dashboard"
        )
        asked = await ask_all(business)
        assert {each.reference: each.changed for each in asked} == dict.fromkeys(references, True)
        assert [each.error for each in asked] == [None, None]
        assert sorted(each.state or "" for each in asked) == [Phase.FUNDS_HELD, Phase.PAYOUT_FAILED]
        assert await ask_all(business) == ()
        assert (await business.reconcile()).outcome.differences == ()
        # What is not ours is listed, and nobody asks about it.
        await business.processor.create_refund(strange)
        await business.until_refunded()
        business.world.wait(hours=1)
        assert await ask_all(business) == ()
        assert (await business.reconcile("again")).outcome.differences != ()

    run(database, story)


def test_what_one_reference_meets_keeps_no_other_from_being_asked_about(database: Database) -> None:
    async def story(business: Business) -> None:
        lost, payout = await lose_webhooks(business)
        answer = ask_of(business)

        async def ask(reference: str) -> Answer:
            if reference == lost:
                raise NotFound
            return await answer(reference)

        business.fold()
        asked = await ask_about_differences(business.desk, ask)
        assert {each.reference: (each.changed, each.error) for each in asked} == {
            lost: (False, "not_found"),
            payout: (True, None),
        }

    run(database, story)


def test_what_is_beyond_the_most_that_is_asked_is_said(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(business: Business) -> None:
        await lose_webhooks(business)
        monkeypatch.setattr("reconciliation.asking.MOST_ASKED", 1)
        with capture_logs() as logs:
            assert len(await ask_all(business)) == 1
        said = {"event": "reconciliation_not_asked", "log_level": "warning", "found": 2, "asked": 1}
        assert not_asked(logs) == [said]
        with capture_logs() as logs:
            assert len(await ask_all(business)) == 1
            assert await ask_all(business) == ()
        assert not_asked(logs) == []

    run(database, story)


def test_the_night_asks_before_it_compares(database: Database) -> None:
    async def story(business: Business) -> None:
        await lose_webhooks(business)
        nightly = Nightly(business.desk, database.app_dsn, ask=ask_of(business))
        business.world.wait(hours=1)
        business.fold()
        await nightly.work()
        assert business.count_runs() == 1
        business.fold()
        assert await alerts(business, "reconciliation_differences") == []

    run(database, story)


def test_a_night_that_fails_and_one_that_never_came_are_alerts_until_a_run_has_come(database: Database) -> None:
    async def story(business: Business) -> None:
        world, honest = business.world, business.processor
        await world.hold()
        business.fold()
        world.wait(hours=25)
        assert await alerts(business, "reconciliation_missed") == []
        business.processor = Tampered(honest, "list_settlements", cut_off)
        nightly = Nightly(business.desk, database.app_dsn)
        world.wait(hours=2)
        business.fold()
        await nightly.work()
        (missed,) = await alerts(business, "reconciliation_missed")
        (failed,) = await alerts(business, "reconciliation_failed")
        assert (missed.severity, failed.severity) == ("P1", "P1")
        assert failed.detail == "the run of night 2026-11-24 fails: gateway_unavailable"
        business.processor = honest
        nightly = Nightly(business.desk, database.app_dsn)
        world.wait(minutes=11)
        business.fold()
        await nightly.work()
        business.fold()
        assert await alerts(business, "reconciliation_missed") == []
        assert [each.detail for each in await alerts(business, "reconciliation_failed")] == [
            "the run of night 2026-11-24 fails: it ran since"
        ]

    run(database, story)


def not_asked(logs: Iterable[MutableMapping[str, Any]]) -> list[MutableMapping[str, Any]]:
    """What was said of it; whatever else works beside it may have something to say of its own."""
    return [each for each in logs if each["event"] == "reconciliation_not_asked"]
