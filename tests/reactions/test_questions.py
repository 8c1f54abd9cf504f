"""What is too old for the processor's lists is asked about one by one, after growing pauses, and never too much."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.policy import Terms
from domain.transaction.phase import Phase
from gateways.errors import GatewayUnavailable
from gateways.payment import Charge, Transfer
from reactions import worker as worker_module
from reactions.sweep import MOST_QUESTIONS
from reactions.watch import Watch
from reactions.worker import Worker
from tests.conftest import Database
from tests.reactions.working import read
from tests.reconciliation.world import Business, run

NEXT = "SELECT min(ask_at) FROM watched_references"
SLACK = timedelta(minutes=10)


class Asked:
    """Counts the questions about single charges and transfers."""

    def __init__(self, business: Business) -> None:
        gateway = business.world.tools.gateway
        self.charges: list[str] = []
        self.transfers: list[str] = []
        gateway.verify_charge = self._count(self.charges, gateway.verify_charge)  # type: ignore[method-assign]
        gateway.verify_transfer = self._count(self.transfers, gateway.verify_transfer)  # type: ignore[method-assign]

    def _count(
        self, asked: list[str], real: Callable[[str], Awaitable[Charge | Transfer]]
    ) -> Callable[[str], Awaitable[Charge | Transfer]]:
        async def count(reference: str) -> Charge | Transfer:
            asked.append(reference)
            return await real(reference)

        return count


async def given_up(business: Business) -> tuple[UUID, str]:
    """A page that nobody waits for any more."""
    transaction_id = await business.world.open(Terms(payment_seconds=3_600))
    page = await business.world.page(transaction_id)
    business.world.wait(hours=1)
    assert (await business.world.advance(transaction_id)).phase is Phase.EXPIRED
    return transaction_id, page.authorization_url


async def paid_out(business: Business) -> tuple[UUID, str]:
    transaction_id = await business.world.hold()
    await business.world.confirm(transaction_id)
    transaction = await business.world.advance(transaction_id)
    assert transaction.phase is Phase.COMPLETED
    return transaction_id, next(iter(transaction.payouts))


async def live(business: Business, database: Database, until: datetime) -> None:
    """Let the worker sweep whenever there is something to ask."""
    worker = Worker(business.world.tools, "")
    while True:
        await worker.sweep()
        (next_at,) = read(database, NEXT)[0]
        assert next_at is None or isinstance(next_at, datetime)
        if next_at is None or next_at + SLACK > until:
            business.world.at = until
            await worker.sweep()
            return
        business.world.at = max(next_at, business.world.at) + SLACK


@pytest.mark.parametrize("days", [4, 20, 200])
def test_money_on_a_page_that_was_given_up_long_ago_is_found_and_goes_back(database: Database, days: int) -> None:
    async def story(business: Business) -> None:
        transaction_id, url = await given_up(business)
        began = business.world.at
        await live(business, database, began + timedelta(days=days))
        (await business.world.panel.post(url, json={"outcome": "success"})).raise_for_status()
        await live(business, database, began + timedelta(days=days * 1.25, hours=1))
        transaction = await business.world.advance(transaction_id)
        assert [refund.amount_minor for refund in transaction.refunds.values()] == [100_000]

    run(database, story)


@pytest.mark.parametrize("days", [2, 10, 34])
def test_a_payout_that_is_taken_back_weeks_later_is_found(database: Database, days: int) -> None:
    async def story(business: Business) -> None:
        transaction_id, reference = await paid_out(business)
        began = business.world.at
        await live(business, database, began + timedelta(days=days))
        await business.move_transfer(reference, "reversed")
        await live(business, database, began + timedelta(days=36))
        assert (await business.world.transaction(transaction_id)).phase is Phase.PAYOUT_FAILED

    run(database, story)


def test_the_number_of_questions_is_bounded(database: Database) -> None:
    async def story(business: Business) -> None:
        await given_up(business)
        await paid_out(business)
        asked = Asked(business)
        await live(business, database, business.world.at + timedelta(days=365))
        assert len(asked.transfers) == 17
        assert 15 < len(asked.charges) <= 22
        await live(business, database, business.world.at + timedelta(days=365))
        assert len(asked.transfers) == 17
        assert len(asked.charges) <= 22 + 4

    run(database, story)


def test_what_is_closed_is_never_asked_about_again(database: Database) -> None:
    """A charge that was taken in with its fee, a transfer that came back."""

    async def story(business: Business) -> None:
        _, reference = await paid_out(business)
        await business.move_transfer(reference, "reversed")
        await Worker(business.world.tools, "").sweep()
        asked = Asked(business)
        await live(business, database, business.world.at + timedelta(days=365))
        assert (asked.charges, asked.transfers) == ([], [])

    run(database, story)


def test_a_page_that_has_died_is_asked_about_once_more(database: Database) -> None:
    async def story(business: Business) -> None:
        key = {"Authorization": "Bearer sk_test_0123456789abcdef"}
        path = "/integration/payment_session_timeout"
        (await business.world.panel.put(path, json={"timeout": 3600}, headers=key)).raise_for_status()
        await given_up(business)
        asked = Asked(business)
        await live(business, database, business.world.at + timedelta(days=365))
        assert len(asked.charges) == 1

    run(database, story)


def test_a_sweep_asks_so_many_questions_and_no_more_the_most_overdue_first(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "MOST_QUESTIONS", 2)
    assert MOST_QUESTIONS == 200

    async def story(business: Business) -> None:
        pages = [await given_up(business) for _ in range(5)]
        references = [(await business.world.transaction(each)).payment_reference for each, _ in pages]
        asked = Asked(business)
        business.world.wait(days=4)
        worker = Worker(business.world.tools, "")
        for so_far in (2, 4, 5, 5):
            await worker.sweep()
            assert asked.charges == references[:so_far]

    run(database, story)


def test_while_the_processor_does_not_answer_nothing_counts_as_asked(database: Database) -> None:
    async def story(business: Business) -> None:
        await given_up(business)
        await given_up(business)
        business.world.wait(days=4)
        gateway, asked = business.world.tools.gateway, 0
        real = gateway.verify_charge

        async def silent(_reference: str) -> Charge:
            nonlocal asked
            asked += 1
            raise GatewayUnavailable

        gateway.verify_charge = silent  # type: ignore[method-assign]
        await Worker(business.world.tools, "").sweep()
        assert asked == 1, "who does not answer one question is not asked the next"
        gateway.verify_charge = real  # type: ignore[method-assign]
        assert len(await Watch(business.world.tools).list_questions(business.world.at, 10)) == 2

    run(database, story)


def test_a_transfer_that_was_never_made_is_not_asked_about_for_ever(database: Database) -> None:
    """It was refused at the door: the processor does not know it, which is an answer."""

    async def story(business: Business) -> None:
        world = business.world
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        await world.fault("transfer", "refuse")
        assert (await world.advance(transaction_id)).phase is Phase.PAYOUT_FAILED
        asked = Asked(business)
        await live(business, database, world.at + timedelta(days=100))
        assert 0 < len(asked.transfers) <= 17

    run(database, story)
