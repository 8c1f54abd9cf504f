"""The books of any moment of the past are those that a second fold of the log gives."""

import pytest

from database.connect import open_pool
from projections.ledger import list_accounts, list_entries, list_newest_entries, list_trial_balances
from tests.projections.books import balances, read_lines
from tests.projections.conftest import Log
from tests.projections.stories import Story
from tests.projections.wandering import Wanderer

pytestmark = pytest.mark.anyio


def tell_wanderings(log: Log, seed: int) -> Story:
    """Sales that went anywhere, one after the other; the story that told them."""
    story = Story(seed)
    for _ in range(6):
        Wanderer(story).wander(60)
    log.tell(story.events)
    return story


@pytest.mark.parametrize("seed", range(3))
async def test_every_account_of_any_position_is_what_a_second_fold_gives(log: Log, seed: int) -> None:
    story = tell_wanderings(log, seed)
    lines = read_lines(log.owner)
    head = lines[-1].position
    async with open_pool(log.database.auditor_dsn, max_size=2) as pool:
        for position in (0, head, *(story.random.randint(0, head) for _ in range(10))):
            found = await list_accounts(pool, as_of=position)
            expected = balances(lines, upto=position)
            assert {(row.account, row.currency): row.balance_minor for row in found} == expected
            totals = {books.currency: books.total_minor for books in await list_trial_balances(pool, as_of=position)}
            assert totals == dict.fromkeys((currency for _, currency in expected), 0)
        assert await list_accounts(pool, as_of=head) == await list_accounts(pool)


async def test_an_account_is_read_in_pages_with_the_balance_after_every_line(log: Log) -> None:
    tell_wanderings(log, 7)
    lines = read_lines(log.owner)
    head = lines[-1].position
    async with open_pool(log.database.auditor_dsn, max_size=2) as pool:
        for account in {line.account for line in lines}:
            expected = running(lines, account)
            seen: list[tuple[int, int, int]] = []
            after = (0, 0)
            while page := await list_entries(pool, account, after=after, limit=7):
                seen += [(row.position, row.line, row.balance_minor) for row in page]
                after = page[-1].position, page[-1].line
            assert seen == expected
            newest = await list_newest_entries(pool, account, as_of=head // 2, limit=5)
            past = [each for each in expected if each[0] <= head // 2]
            assert [(row.position, row.line, row.balance_minor) for row in newest] == past[-5:]


def running(lines: list, account: str) -> list[tuple[int, int, int]]:
    """Position, line and balance after it, of one account."""
    found: list[tuple[int, int, int]] = []
    balance: dict[str, int] = {}
    for line in lines:
        if line.account == account:
            balance[line.currency] = balance.get(line.currency, 0) + line.amount_minor
            found.append((line.position, line.line, balance[line.currency]))
    return found
