"""What a seller owes after a late refund is kept back from his next sale, once, whatever happens in between."""

import asyncio
from contextlib import suppress
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.errors import EscrowError
from domain.journal import CLIENT_LIABILITIES, SAFEGUARDED_ASSETS
from domain.transaction import Transaction
from domain.transaction.commands import OpenDispute
from domain.transaction.phase import Phase
from domain.transaction.records import DisputeCategory
from domain.transaction.staff_commands import RecoverInCash
from eventstore.log import END
from projections.catch_up import catch_up_together
from projections.registry import PROJECTIONS
from projections.statement import Subject, list_lines, list_owed, list_totals
from reactions import clawback
from reactions.clawback import pay_seller
from reactions.watch import Watch
from tests.conftest import Database
from tests.domain.people import SUPER
from tests.reactions.awards import owing, refund
from tests.reactions.world import World, run
from tests.simulation.judge import Judge


async def pay_back(world: World, transaction_id: UUID, amount_minor: int) -> None:
    await world.do(SUPER, transaction_id, RecoverInCash(amount_minor=amount_minor, reason="his transfer has come"))  # type: ignore[arg-type]


async def debt_of(world: World, transaction_id: UUID) -> int:
    return (await world.transaction(transaction_id)).receivable_minor


async def judge(world: World) -> Judge:
    """All that was written, judged by the second model; with what sellers owe, clients' money is covered."""
    judge = Judge(10**9)
    await judge.read(world.pool)
    totals = judge.books.totals["KES"]
    cover = sum(totals[account.value] for account in (*SAFEGUARDED_ASSETS, *CLIENT_LIABILITIES))
    assert cover + totals["receivable:seller"] >= 0
    return judge


@pytest.mark.guarantee(
    "G2", faults="a refund after the payout, then another sale of the same seller", runs="a debt smaller and one larger"
)
@pytest.mark.parametrize("paid_minor", [0, 50_000])
def test_the_next_sale_pays_the_debt_and_the_seller_gets_the_rest(database: Database, paid_minor: int) -> None:
    async def story(world: World) -> None:
        debt = await owing(world)
        if paid_minor:
            await pay_back(world, debt, paid_minor)
        sale = await world.release()
        transaction = await world.advance(sale)
        assert (transaction.phase, transaction.stuck_reason) == (Phase.COMPLETED, None)
        assert transaction.withheld_minor == 90_000 - paid_minor
        assert await world.moved("transfer") == ([-90_000, -paid_minor] if paid_minor else [-90_000])
        assert await debt_of(world, debt) == 0
        judged = await judge(world)
        assert judged.books.totals["KES"]["receivable:seller"] == 0
        assert len(judged.own("payable_withheld")) == 1
        await statement_tells(world, database, 90_000 - paid_minor)

    run(database.app_dsn, story)


async def statement_tells(world: World, database: Database, withheld_minor: int) -> None:
    """Nothing is owed either way, and both halves stand there."""
    with psycopg.connect(database.owner_dsn) as connection:
        catch_up_together(connection, PROJECTIONS, schema="public", batch_size=1_000)
    person = Subject(user_id=world.seller.id)
    totals = await list_totals(world.pool, person, after=0, until=END)
    assert [each.closing_minor for each in list_owed(totals)] == [0]
    lines = await list_lines(world.pool, person, after=(0, 0), until=END)
    halves = {one.topic: (one.account, one.debit_minor - one.credit_minor) for one in lines}
    assert halves["transaction.payable_withheld.v1"] == ("seller:payable", withheld_minor)
    assert halves["transaction.debt_recovered.v1"] == ("receivable:seller", -withheld_minor)


@pytest.mark.guarantee("G2", faults="two sales of one debtor pay at the same moment", runs="once")
def test_two_sales_that_pay_at_once_recover_the_debt_once(database: Database) -> None:
    async def story(world: World) -> None:
        debt, sales = await owing(world), [await world.release(), await world.release()]
        both = [await world.transaction(sale) for sale in sales]

        async def take(transaction: Transaction) -> None:
            with suppress(EscrowError):  # whoever comes second is refused, and pays out when asked again
                await pay_seller(world.tools, transaction)

        await asyncio.gather(*(take(transaction) for transaction in both))
        for sale in sales:
            assert (await world.advance(sale)).phase is Phase.COMPLETED
        assert sorted([(await world.transaction(sale)).withheld_minor for sale in sales]) == [0, 90_000]
        assert (await debt_of(world, debt), await world.moved("transfer")) == (0, [-90_000, -90_000])
        await judge(world)

    run(database.app_dsn, story)


def test_several_debts_are_paid_oldest_first(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(500_000)
        second, first = await world.release(), await world.release()
        for sale in (second, first):
            await world.advance(sale)
        await refund(world, first)
        world.wait(hours=1)
        await refund(world, second)
        await pay_back(world, first, 30_000)
        await world.advance(await world.release())
        assert (await debt_of(world, first), await debt_of(world, second)) == (0, 60_000)
        await judge(world)

    run(database.app_dsn, story)


def test_a_stale_memory_of_debts_takes_nothing_that_is_not_owed(database: Database) -> None:
    async def story(world: World) -> None:
        debt = await owing(world)
        await pay_back(world, debt, 90_000)
        transaction = await world.advance(await world.release())
        assert (transaction.phase, transaction.withheld_minor) == (Phase.COMPLETED, 0)
        assert await world.moved("transfer") == [-90_000, -90_000]

    run(database.app_dsn, story)


def test_nothing_is_taken_while_the_sale_that_pays_is_disputed(database: Database) -> None:
    async def story(world: World) -> None:
        debt, sale = await owing(world), await world.release()
        opened = OpenDispute(dispute_id=uuid4(), category=DisputeCategory.NOT_WORKING)
        await world.do(world.as_buyer, sale, opened)  # type: ignore[arg-type]
        assert (await world.advance(sale)).withheld_minor == 0
        assert await debt_of(world, debt) == 90_000

    run(database.app_dsn, story)


def test_a_crash_between_the_recovery_and_the_payout_changes_nothing(database: Database) -> None:
    async def story(world: World) -> None:
        debt = await owing(world)
        await pay_back(world, debt, 50_000)
        sale = await world.release()
        before = await world.transaction(sale)
        for _ in range(2):  # the worker dies after the append, and begins anew with what it had read before
            with suppress(EscrowError):
                await pay_seller(world.tools, before)
        assert (await world.transaction(sale)).withheld_minor == 40_000
        assert (await world.advance(sale)).phase is Phase.COMPLETED
        assert await world.moved("transfer") == [-90_000, -50_000]
        await judge(world)

    run(database.app_dsn, story)


@pytest.mark.guarantee("G2", planted="a seller who owes is paid as if he did not")
def test_the_test_notices_a_debtor_who_is_paid_in_full(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(*_: object) -> list[UUID]:
        return []

    monkeypatch.setattr(clawback, "_list_debts", nobody)

    async def story(world: World) -> None:
        debt = await owing(world)
        await world.advance(await world.release())
        assert await debt_of(world, debt) == 90_000
        assert await world.moved("transfer") == [-90_000, -90_000]

    run(database.app_dsn, story)


def test_debts_from_before_the_columns_are_found_when_the_log_is_folded_anew(database: Database) -> None:
    async def story(world: World) -> None:
        debt = await owing(world)
        with psycopg.connect(database.superuser_dsn) as connection:
            connection.execute("UPDATE watched_transactions SET debtor_id = NULL, debt_currency = NULL")
            connection.execute("DELETE FROM reaction_checkpoints WHERE name = 'watch'")
        await Watch(world.tools).catch_up()
        await world.advance(await world.release())
        assert await debt_of(world, debt) == 0

    run(database.app_dsn, story)
