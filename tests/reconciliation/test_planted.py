"""Many sales over the stand-in: nothing false is found, and eight kinds of difference are, by name."""

import asyncio

import pytest

from domain.actor import reaction
from domain.money import Currency, Money
from domain.reconciliation import Difference
from domain.reconciliation import DifferenceKind as Kind
from domain.transaction.chargeback_report import ChargebackOutcome, ChargebackReport
from domain.transaction.system_commands import RecordChargeback
from gateways.payment import NewRefund
from gateways.paystack.sim.state import Behaviour
from projections.ledger import list_accounts
from tests.conftest import Database
from tests.reconciliation.tampering import PLANTED, Change, kept, with_another
from tests.reconciliation.world import Business, Tampered, open_business, run

SALES, MANY_SALES = 45, 210


def check_sales(database: Database, sales: int) -> None:
    """The books agree about all of them, and each planted difference is found and named."""

    async def story(business: Business) -> None:
        await business.trade(sales)
        business.world.wait(hours=1)
        clean = await business.reconcile()
        assert clean.outcome.differences == ()
        assert clean.booked
        assert clean.outcome.matched > 4 * sales
        found = [await find(business, *planted) for planted in PLANTED]
        assert found == [[kind] for kind, _, _ in PLANTED]
        assert (await business.reconcile("again")).booked == ()

    run(database, story)


@pytest.mark.weakness("W6")
@pytest.mark.guarantee(
    "G17",
    planted=f"eight kinds of difference in what the processor answers about {SALES} sales",
)
def test_many_sales_agree_and_every_planted_difference_is_found_and_named(database: Database) -> None:
    check_sales(database, SALES)


@pytest.mark.soak
@pytest.mark.guarantee(
    "G17",
    planted=f"eight kinds of difference in what the processor answers about {MANY_SALES} sales",
)
def test_two_hundred_sales_agree_and_every_planted_difference_is_found_and_named(database: Database) -> None:
    check_sales(database, MANY_SALES)


async def find(business: Business, kind: Kind, name: str, tamper: Change) -> list[Kind]:
    del kind
    honest, business.processor = business.processor, Tampered(business.processor, name, tamper)
    try:
        found = (await business.reconcile(dry=True)).outcome.differences
    finally:
        business.processor = honest
    assert all(each.sentence and each.command.startswith("escrow ") for each in found)
    return [each.kind for each in found]


async def only(business: Business) -> Difference:
    (found,) = (await business.reconcile(dry=True)).outcome.differences
    return found


@pytest.mark.guarantee("G17", faults="a payout that the processor takes back and tells nobody of")
def test_what_really_happens_at_paystack_behind_our_back_is_named(database: Database) -> None:
    async def story(business: Business) -> None:
        world = business.world
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        transaction = await world.advance(transaction_id)
        (reference,) = transaction.payouts
        await business.move_transfer(reference, "reversed")
        assert (await business.reconcile()).outcome.differences == ()
        world.wait(hours=1)
        found = await only(business)
        assert (found.kind, found.command) == (Kind.REVERSED, f"escrow reconcile --ask {reference}")

    run(database, story)


@pytest.mark.parametrize("place", ["balance", "bank"])
def test_settlements_are_booked_once_wherever_they_go(database: Database, place: str) -> None:
    behaviour = Behaviour(settles_to=place, settle_seconds=60.0)  # type: ignore[arg-type]

    async def story(business: Business) -> None:
        world = business.world
        for _ in range(3):
            await world.hold()
        await business.sell(2)
        assert (await business.reconcile("early")).booked == ()
        world.wait(hours=1)
        await business.until_settled()
        later = await business.reconcile("later")
        assert later.booked
        assert later.outcome.differences == ()
        again = await business.reconcile("again")
        assert (again.booked, again.outcome.differences) == ((), ())
        uncleared = [each for each in again.outcome.figures if each.account == "paystack:uncleared"]
        assert [each.ledger_minor for each in uncleared] == []

    run(database, story, behaviour)


def test_the_figures_of_a_run_that_books_are_those_of_its_position(database: Database) -> None:
    async def story(business: Business) -> None:
        await business.world.hold()
        business.world.wait(minutes=20)
        await business.until_settled()
        late = await business.reconcile()
        assert late.booked
        business.fold()
        then = await list_accounts(business.world.pool, as_of=late.position)
        figures = {(figure.account, figure.currency): figure.ledger_minor for figure in late.outcome.figures}
        assert figures == {
            (each.account, each.currency): each.balance_minor
            for each in then
            if each.account.startswith("paystack") and each.balance_minor
        }

    run(database, story, Behaviour(settles_to="balance", settle_seconds=600.0))


def test_a_run_leaves_one_event_and_a_row_and_an_alert(database: Database) -> None:
    async def story() -> None:
        async with open_business(database) as business:
            await business.world.hold()
            business.world.wait(hours=1)
            tamper = with_another(kept, processor_id=99_001, reference="shop-1")
            honest, business.processor = business.processor, Tampered(business.processor, "list_charges", tamper)
            first_run = await business.reconcile("night")
            assert (await business.reconcile("night")).reconciliation_id == first_run.reconciliation_id
            business.processor = honest
            business.fold()
            async with business.world.pool.connection() as connection:
                rows = await (await connection.execute("SELECT differences, counts FROM reconciliations")).fetchall()
                kinds = await (await connection.execute("SELECT kind FROM reconciliation_differences")).fetchall()
                alerts = await (
                    await connection.execute("SELECT severity, detail FROM alerts WHERE kind LIKE 'reconciliation%'")
                ).fetchall()
            assert rows == [(1, {"missing_here": 1})]
            assert kinds == [("missing_here",)]
            assert alerts == [("P1", "1 missing_here")]

    asyncio.run(story())


def test_a_chargeback_that_nobody_heard_of_is_named_until_it_is_booked(database: Database) -> None:
    async def story(business: Business) -> None:
        world = business.world
        transaction_id = await world.hold()
        transaction = await world.transaction(transaction_id)
        await business.reconcile()
        opened = await world.panel.post("/_sim/disputes", json={"reference": transaction.payment_reference})
        dispute_id = opened.json()["id"]
        decided = await world.panel.post(f"/_sim/disputes/{dispute_id}", json={"outcome": "lost"})
        assert decided.status_code == 200, decided.text
        world.wait(hours=1)
        found = await only(business)
        assert (found.kind, found.subject, found.processor_id) == (Kind.MISSING_HERE, "dispute", str(dispute_id))
        assert found.command == f"escrow reconcile --ask {transaction.payment_reference}"
        report = ChargebackReport(
            processor_dispute_id=str(dispute_id),
            outcome=ChargebackOutcome.LOST,
            amount_minor=transaction.price.amount_minor,
        )
        await world.do(reaction("chargebacks"), transaction_id, RecordChargeback(report=report))
        world.wait(hours=1)
        assert (await business.reconcile("again")).outcome.differences == ()

    run(database, story)


def test_a_refund_sent_twice_and_a_withdrawal_by_hand_are_named(database: Database) -> None:
    async def story(business: Business) -> None:
        world = business.world
        transaction_id = await world.hold()
        (await world.panel.post("/_sim/balance", json={"currency": "KES", "amount_minor": -777})).raise_for_status()
        reference = (await world.transaction(transaction_id)).payment_reference or ""
        await business.reconcile()
        for _ in range(2):
            await business.processor.create_refund(
                NewRefund(charge_reference=reference, amount=Money(50_000, Currency.KES), merchant_note="by hand")
            )
        await business.until_refunded()
        world.wait(hours=1)
        found = (await business.reconcile("again")).outcome.differences
        assert sorted((each.kind, each.subject) for each in found) == [
            (Kind.MISSING_HERE, "balance entry"),
            (Kind.MISSING_HERE, "refund"),
            (Kind.MISSING_HERE, "refund"),
        ]
        for each in found:
            await business.paste(each.command)
        world.wait(hours=1)
        assert (await business.reconcile("settled")).outcome.differences == ()

    run(database, story)
