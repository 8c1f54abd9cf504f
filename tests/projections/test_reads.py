"""What the API asks of the tables: one row, or a page of them after the last one of the page before."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest

from database.connect import Pool, open_pool
from projections.admin_action import list_admin_actions
from projections.alert import list_alerts
from projections.approval import get_approval, list_approvals
from projections.dispute import list_disputes_of
from projections.ledger import list_accounts, list_entries, list_trial_balances
from projections.listing import list_listings
from projections.note import list_notes
from projections.payout import list_payouts_of
from projections.reached import get_reached
from projections.refund import list_refunds, list_refunds_of
from projections.transaction import count_by_state, get_transaction, list_transactions
from tests.projections.conftest import Log
from tests.projections.stories import Story

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def reading(log: Log) -> AsyncGenerator[Pool]:
    async with open_pool(log.database.app_dsn, max_size=2) as pool:
        yield pool


async def test_every_list_can_be_read(log: Log) -> None:
    story = Story()
    sale = story.sell()
    log.tell(story.events)
    transaction_id = sale.transaction.id
    async with reading(log) as pool:
        found = await get_transaction(pool, transaction_id)
        assert found is not None
        assert (found.state, found.held_minor, found.stuck_reason) == ("completed", 0, None)
        listings = await list_listings(pool, state="sold")
        assert [(row.id, row.transaction_id) for row in listings] == [(sale.listing.id, transaction_id)]
        assert [row.status for row in await list_payouts_of(pool, transaction_id)] == ["succeeded"]
        assert await list_refunds_of(pool, transaction_id) == await list_refunds(pool) == []
        assert await list_disputes_of(pool, transaction_id) == []
        assert await list_approvals(pool) == []
        assert await get_approval(pool, transaction_id) is None
        assert await list_notes(pool, transaction_id) == []
        assert [row.action for row in await list_admin_actions(pool)] == ["approve_listing"]
        assert await list_alerts(pool) == []
        assert [row.transactions for row in await count_by_state(pool)] == [1]


async def test_the_books_balance_and_clients_money_is_there(log: Log) -> None:
    story = Story()
    story.sell()
    log.tell(story.events)
    async with reading(log) as pool:
        (books,) = await list_trial_balances(pool)
        assert (books.currency, books.total_minor) == ("KES", 0)
        for account in await list_accounts(pool, currency="KES"):
            lines = await list_entries(pool, account.account, currency="KES")
            assert sum(line.amount_minor for line in lines) == account.balance_minor
            assert len(lines) == account.entries


async def test_pages_of_transactions_have_every_one_once_newest_first(log: Log) -> None:
    story = Story()
    sales = [story.list_account() for _ in range(7)]
    for sale in sales:
        sale.open()
        story.wait(minutes=1)
    log.tell(story.events)
    seen: list[UUID] = []
    async with reading(log) as pool:
        page = await list_transactions(pool, limit=3)
        while page:
            seen += [row.id for row in page]
            page = await list_transactions(pool, limit=3, before=(page[-1].created_at, page[-1].id))
    assert seen == [sale.transaction.id for sale in reversed(sales)]


async def test_a_party_finds_what_it_buys_and_what_it_sells(log: Log) -> None:
    story = Story()
    sale, other = story.list_account(), story.list_account()
    sale.open()
    other.open()
    log.tell(story.events)
    async with reading(log) as pool:
        for party in (sale.buyer, sale.seller):
            found = await list_transactions(pool, party_id=UUID(party.id))
            assert [row.id for row in found] == [sale.transaction.id]


async def test_a_transaction_is_stuck_after_seven_days_in_a_state_or_a_failed_payout(log: Log) -> None:
    story = Story()
    sale = story.list_account()
    sale.open()
    sale.pay()
    log.tell(story.events)
    since = sale.transaction.phase_since
    async with reading(log) as pool:
        assert await list_transactions(pool, stuck_at=since + timedelta(days=7)) == []
        found = await list_transactions(pool, stuck_at=since + timedelta(days=7, seconds=1))
        assert [row.stuck_reason for row in found] == ["awaiting_contract"]


async def test_a_read_model_without_a_checkpoint_has_reached_nothing(log: Log) -> None:
    """Money is paid by tables that are said to be complete: one that lost its checkpoint is not."""
    story = Story()
    story.sell()
    head = log.tell(story.events)
    async with reading(log) as pool:
        assert await get_reached(pool, ["ledger", "payouts"]) == await get_reached(pool) == head
        with log.owner.transaction():
            log.owner.execute("DELETE FROM projection_checkpoints WHERE name = 'ledger'")
        assert await get_reached(pool, ["ledger", "payouts"]) == 0
        assert await get_reached(pool, ["payouts", "payouts"]) == head
