"""What was settled long ago and booked then is not booked again, whatever the lists still have of it."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateways.bookkeeping import BalanceCause, BalanceEntry
from gateways.paystack.sim.state import Behaviour
from reconciliation.nightly import Nightly
from reconciliation.run import Desk, book_settlements
from tests.conftest import Database
from tests.reconciliation.world import LONG_AGO, Business, alerts, run
from tests.waiting import until

SOON = Behaviour(settles_to="balance", settle_seconds=600.0)
LIST_MARGIN = timedelta(hours=1)


class Dating:
    """The processor, whose balance ledger dates a settled charge as the charge, a day before its settlement."""

    def __init__(self, processor: Any) -> None:
        self._processor = processor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._processor, name)

    async def list_balance_entries(self, *, since: datetime) -> tuple[BalanceEntry, ...]:
        entries = [_dated(each) for each in await self._processor.list_balance_entries(since=LONG_AGO)]
        return tuple(each for each in entries if each.created_at and each.created_at >= since - LIST_MARGIN)


def _dated(entry: BalanceEntry) -> BalanceEntry:
    assert entry.created_at is not None
    is_charge = entry.cause is BalanceCause.CHARGE
    return dataclasses.replace(entry, created_at=entry.created_at - timedelta(days=1)) if is_charge else entry


class Meanwhile:
    """The processor; while its charges are read somebody books a settlement by hand, with another amount."""

    def __init__(self, business: Business, amount_minor: int) -> None:
        self._business, self._processor, self._amount_minor = business, business.processor, amount_minor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._processor, name)

    async def list_charges(self, *, since: datetime) -> Any:
        await book_by_hand(self._business, self._amount_minor)
        return await self._processor.list_charges(since=since)


async def book_by_hand(business: Business, amount_minor: int) -> None:
    (settlement,) = await business.desk.processor.list_settlements(since=LONG_AGO)
    facts = f'--currency KES --amount-minor {amount_minor} --evidence "settlement {settlement.processor_id}"'
    await business.paste(f"escrow ledger record charges_settled {facts}")


async def settle(business: Business, number: int) -> None:
    """One sale more, and the settlement of it, which is the so-many-eth."""
    await business.world.hold()
    business.world.wait(minutes=20)
    await until(
        lambda: business.processor.list_settlements(since=LONG_AGO), lambda settlements: len(settlements) == number
    )
    business.fold()


async def ids_booked(desk: Desk) -> list[str]:
    return [each.key.id for each in await book_settlements(desk)]


@pytest.mark.guarantee("G17", faults="a look at a settlement that was booked five to ten weeks ago")
@pytest.mark.parametrize("is_dated_before", [False, True], ids=["dated alike", "dated a day before"])
@pytest.mark.parametrize("later", [timedelta(days=36), timedelta(days=41, hours=12), timedelta(days=42, minutes=-5)])
def test_the_worker_books_only_the_new_settlement(
    database: Database, later: timedelta, *, is_dated_before: bool
) -> None:
    async def story(business: Business) -> None:
        if is_dated_before:
            business.processor = Dating(business.processor)
        await settle(business, 1)
        (old,) = await ids_booked(business.desk)
        business.world.wait(seconds=later.total_seconds())
        await settle(business, 2)
        (new,) = await ids_booked(business.desk)
        assert new != old

    run(database, story, SOON, start=datetime.now(UTC))


def test_a_run_whose_lists_begin_within_the_hour_after_a_settlement_does_not_book_it_again(database: Database) -> None:
    async def story(business: Business) -> None:
        business.processor = Dating(business.processor)
        await settle(business, 1)
        assert await ids_booked(business.desk)
        business.world.wait(days=70, minutes=30)
        late = await business.reconcile()
        assert (late.booked, late.outcome.differences) == ((), ())

    run(database, story, SOON, start=datetime.now(UTC))


def test_another_amount_that_somebody_booked_long_ago_stops_no_look(database: Database) -> None:
    async def story(business: Business) -> None:
        await settle(business, 1)
        await book_by_hand(business, 90_000)
        assert await ids_booked(business.desk) == []
        business.world.wait(days=38)
        await settle(business, 2)
        assert len(await ids_booked(business.desk)) == 1

    run(database, story, SOON, start=datetime.now(UTC))


def test_whatever_stops_the_run_of_a_night_is_an_alert(database: Database) -> None:
    async def story(business: Business) -> None:
        honest = business.processor
        await settle(business, 1)
        business.processor = Meanwhile(business, 90_000)
        nightly = Nightly(business.desk, database.app_dsn)
        business.world.wait(days=1, hours=2)
        business.fold()
        await nightly.work()
        (failed,) = await alerts(business, "reconciliation_failed")
        assert failed.detail is not None
        assert failed.detail.endswith("fails: idempotency_key_reused")
        business.processor = honest
        nightly = Nightly(business.desk, database.app_dsn)
        business.world.wait(minutes=11)
        business.fold()
        await nightly.work()
        business.fold()
        assert await alerts(business, "reconciliation_differences")

    run(database, story, SOON)
