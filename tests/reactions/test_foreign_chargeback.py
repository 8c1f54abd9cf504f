"""A chargeback of a payment in another currency reaches a person: an alert, a line of reconciliation, words for it."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.money import Currency
from domain.reconciliation import DifferenceKind
from domain.transaction.phase import Phase
from domain.transaction.records import RefundStatus
from reactions.advance import advance
from reactions.chargeback import record_found
from tests.conftest import Database
from tests.reactions.street import Street, tell
from tests.reactions.working import fold, read
from tests.reconciliation.world import Business, run

ALERTS = """SELECT severity, amount_minor, detail FROM alerts
    WHERE kind = 'chargeback_in_another_currency' ORDER BY position"""


async def pay_in_cedi(street: Street) -> UUID:
    """The page was asked for in KES, and somebody pays GHS; the money is on its way back, for want of its fee."""
    world = street.world
    transaction_id = await world.open()
    page = await world.page(transaction_id)
    other = {"amount_minor": 100_000, "currency": Currency.GHS, "match": {"reference": page.reference}}
    await world.fault("checkout", "other_amount", **other)
    answer = await world.panel.post(page.authorization_url, json={"outcome": "success"})
    assert answer.status_code == 200, answer.text
    await world.advance(transaction_id)
    return transaction_id


def test_it_is_named_when_it_is_opened_and_when_it_is_lost(database: Database) -> None:
    async def story(street: Street) -> None:
        transaction_id = await pay_in_cedi(street)
        dispute = await street.dispute(transaction_id)
        assert dispute.currency == "GHS"
        for _ in range(2):
            await street.poll(transaction_id)
        transaction = await street.world.transaction(transaction_id)
        assert (transaction.phase, transaction.has_open_dispute) == (Phase.PENDING, False)
        await street.pass_time(days=2)
        for _ in range(2):
            transaction = await street.poll(transaction_id)
        assert transaction.foreign_chargebacks == {str(dispute.id): False}
        assert len(await street.history(transaction_id, "foreign_chargeback_seen")) == 1
        assert len(await street.history(transaction_id, "stray_chargeback_lost")) == 1
        assert await street.history(transaction_id, "chargeback_lost", "dispute_opened") == []
        assert [one.status for one in transaction.refunds.values()] == [RefundStatus.CANCELLED]
        assert await street.world.moved("refund") == []

    tell(database.app_dsn, story)
    fold(database)
    assert read(database, ALERTS) == [("P1", 100_000, "GHS: answer it there")]
    lost = "SELECT severity, amount_minor, detail FROM alerts WHERE kind = 'chargeback_lost'"
    assert read(database, lost) == [("P1", 100_000, None)]


@pytest.mark.parametrize("is_known", [True, False])
def test_reconciliation_names_what_it_took_of_a_payment_that_is_not_known_and_how_to_book_it(
    database: Database, *, is_known: bool
) -> None:
    async def story(business: Business) -> None:
        world = business.world
        transaction_id = await world.open()
        page = await world.page(transaction_id)
        other = {"amount_minor": 100_000, "currency": "GHS", "match": {"reference": page.reference}}
        await world.fault("checkout", "other_amount", **other)
        await world.panel.post(page.authorization_url, json={"outcome": "success"})
        await world.advance(transaction_id)
        opened = await world.panel.post("/_sim/disputes", json={"reference": page.reference})
        dispute_id = opened.json()["id"]
        (await world.panel.post(f"/_sim/disputes/{dispute_id}", json={"outcome": "lost"})).raise_for_status()
        if is_known:
            await advance(world.tools, transaction_id, page.reference, is_disputed=True)
        else:
            unnamed = replace(
                await world.tools.gateway.fetch_chargeback(dispute_id), charge_id=None, charge_reference=None
            )
            await record_found(world.tools, await world.transaction(transaction_id), unnamed)
        world.wait(hours=1)
        differences = (await business.reconcile()).outcome.differences
        if is_known:
            assert differences == (), "it is booked"
            return
        found = [one for one in differences if one.subject == "dispute"]
        (named,) = [one for one in found if one.kind is DifferenceKind.MISSING_HERE]
        assert (named.processor_id, named.transaction_id) == (str(dispute_id), transaction_id)
        assert "another currency" in named.sentence
        assert "GHS" in named.command
        assert "--ask" not in named.command

    run(database, story)


def test_more_than_was_left_is_an_alert_that_says_how_much(database: Database) -> None:
    async def story(street: Street) -> None:
        world = street.world
        transaction_id = await world.hold()
        dispute = await street.dispute(transaction_id)
        await street.poll(transaction_id)
        await street.decide(dispute, "lost")
        for row in street.paystack.sim.store.refunds.all():
            row.amount_minor += 5_000
            street.paystack.sim.store.refunds.put(str(row.id), row)
        transaction = await street.poll(transaction_id)
        assert transaction.charged_back_minor == 105_000

    tell(database.app_dsn, story)
    fold(database)
    lost = "SELECT severity, amount_minor, detail FROM alerts WHERE kind = 'chargeback_lost'"
    assert read(database, lost) == [("P0", 105_000, "5000 more than was left: the platform's loss")]
