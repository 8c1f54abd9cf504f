"""Statements of people and transactions are what a second fold of the log gives, for any period."""

from collections import Counter
from uuid import UUID

import pytest

from api.reads.past import Period
from api.reads.statement import list_pages, open_statement
from database.connect import Pool, open_pool
from projections.ledger import list_accounts
from projections.statement import StatementLine, Subject, list_owed, list_totals
from tests.projections.books import Line, read_lines
from tests.projections.conftest import Log
from tests.projections.stories import Story
from tests.projections.wandering import Wanderer

pytestmark = pytest.mark.anyio

BUYERS = {"escrow:held", "buyer:refund_due", "buyer:compensation_due", "suspense:unmatched_receipts"}
SELLERS = {"seller:payable", "seller:reserve", "receivable:seller"}
IN_FLIGHT = "payout:in_flight"


def claims_of(lines: list[Line], side: set[str]) -> list[Line]:
    """The lines of one side: its accounts, and payouts that were first taken out of one of them."""
    taken_from = {
        line.subject: {other.account for other in lines if other.position == line.position}
        for line in reversed(lines)
        if line.account == IN_FLIGHT
    }
    mine = {reference for reference, accounts in taken_from.items() if accounts & side}
    return [line for line in lines if line.account in side or (line.account == IN_FLIGHT and line.subject in mine)]


async def read_all(pool: Pool, subject: Subject, period: Period) -> list[StatementLine]:
    statement = await open_statement(pool, subject, period)
    return [line async for page in list_pages(pool, statement) for line in page]


def wander(log: Log, seed: int) -> tuple[Story, list[Wanderer]]:
    story = Story(seed)
    wanderers = [Wanderer(story) for _ in range(5)]
    for _ in range(6):
        for wanderer in wanderers:
            wanderer.wander(12)
    log.tell(story.events)
    return story, [each for each in wanderers if hasattr(each.sale, "transaction")]


@pytest.mark.parametrize("seed", range(3))
async def test_every_statement_of_every_period_agrees_with_a_second_fold(log: Log, seed: int) -> None:
    story, wanderers = wander(log, seed)
    lines = read_lines(log.owner)
    head = lines[-1].position
    async with open_pool(log.database.auditor_dsn, max_size=2) as pool:
        for wanderer in wanderers:
            sale = wanderer.sale
            own = [line for line in lines if line.stream == str(sale.transaction.id)]
            period = Period(*sorted((story.random.randint(0, head), story.random.randint(0, head))))
            for subject, expected in (
                (Subject(transaction_id=sale.transaction.id), own),
                (Subject(user_id=UUID(sale.buyer.id)), claims_of(own, BUYERS)),
                (Subject(sale.transaction.id, UUID(sale.seller.id)), claims_of(own, SELLERS)),
            ):
                await agree(pool, subject, expected, period)


async def agree(pool: Pool, subject: Subject, expected: list[Line], period: Period) -> None:
    """Lines, running balances and totals are those of the expected lines."""
    statement = await open_statement(pool, subject, period)
    inside = [line for line in expected if period.after < line.position <= period.until]
    balances: Counter[tuple[str, str]] = Counter()
    for line in expected:
        if line.position <= period.after:
            balances[line.account, line.currency] += line.amount_minor
    opening = dict(balances)
    found = await read_all(pool, subject, period)
    assert [(row.position, row.line) for row in found] == [(line.position, line.line) for line in inside]
    for row, line in zip(found, inside, strict=True):
        balances[line.account, line.currency] += line.amount_minor
        assert row.debit_minor - row.credit_minor == line.amount_minor
        assert min(row.debit_minor, row.credit_minor) == 0
        assert row.balance_minor == balances[line.account, line.currency]
    for total in statement.totals:
        key = total.account, total.currency
        assert total.opening_minor == opening.get(key, 0)
        assert total.closing_minor == total.opening_minor + total.debits_minor - total.credits_minor == balances[key]
    assert {(total.account, total.currency) for total in statement.totals} == set(balances)


async def test_the_statements_of_all_transactions_together_are_the_ledger(log: Log) -> None:
    _, wanderers = wander(log, 11)
    async with open_pool(log.database.auditor_dsn, max_size=2) as pool:
        found: Counter[tuple[str, str]] = Counter()
        for wanderer in wanderers:
            subject = Subject(transaction_id=wanderer.sale.transaction.id)
            for total in await list_totals(pool, subject, after=0, until=10**9):
                found[total.account, total.currency] += total.closing_minor
        ledger = {(row.account, row.currency): row.balance_minor for row in await list_accounts(pool)}
        assert {key: value for key, value in found.items() if value} == {k: v for k, v in ledger.items() if v}


async def test_periods_side_by_side_share_nothing_and_leave_nothing_out(log: Log) -> None:
    _, wanderers = wander(log, 12)
    subject = Subject(transaction_id=wanderers[0].sale.transaction.id)
    async with open_pool(log.database.auditor_dsn, max_size=2) as pool:
        whole = await read_all(pool, subject, Period(0, 10**9))
        middle = whole[len(whole) // 2].position
        first, second = Period(0, middle), Period(middle, 10**9)
        assert await read_all(pool, subject, first) + await read_all(pool, subject, second) == whole


async def test_after_a_sale_nothing_is_owed_to_anybody(log: Log) -> None:
    story = Story()
    sale = story.sell()
    log.tell(story.events)
    async with open_pool(log.database.auditor_dsn, max_size=2) as pool:
        for person in (sale.buyer, sale.seller):
            totals = await list_totals(pool, Subject(user_id=UUID(person.id)), after=0, until=10**9)
            assert [(owed.currency, owed.closing_minor) for owed in list_owed(totals)] == [("KES", 0)]
        bought = await list_totals(pool, Subject(user_id=UUID(sale.buyer.id)), after=0, until=10**9)
        assert [(total.account, total.credits_minor) for total in bought] == [("escrow:held", 100_000)]
