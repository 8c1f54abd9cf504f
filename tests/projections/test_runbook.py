"""Every query of the customer's runbook runs as it is printed there, as the auditor, and finds the right rows."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from domain.transaction import Transaction
from tests.projections.conftest import Log
from tests.projections.stories import Sale, Story
from tests.projections.wandering import REASON

CHECK_STATE = """
   SELECT id, state, buyer_id, seller_id, listing_id, created_at
   FROM transactions
   WHERE id = <transaction_id>;
"""
CHECK_REVEAL = """
   SELECT revealed_at, revealed_to_user_id
   FROM credential_vaults
   WHERE listing_id = <listing_id>;
"""
FAILED_IN_LAST_HOUR = """
-- Failed transactions in last hour
SELECT COUNT(*) FROM transactions
WHERE state = 'refunded'
AND refunded_at > NOW() - INTERVAL '1 hour';
"""
STUCK = """
-- High-value stuck transactions
SELECT id, amount_usd, state, created_at
FROM transactions
WHERE state IN ('funds_held', 'contract_signed')
AND created_at < NOW() - INTERVAL '7 days';
"""


def told_at(at: datetime) -> Story:
    story = Story()
    story.at = at
    return story


def refund(sale: Sale) -> Transaction:
    sale.open()
    sale.pay()
    sale.act(sale.buyer, lambda: sale.transaction.cancel(REASON))
    sale.act(sale.seller, lambda: sale.transaction.cancel(REASON))
    sale.refund_all()
    assert sale.transaction.state == "refunded"
    return sale.transaction


@pytest.fixture
def auditor(log: Log) -> Generator[psycopg.Connection]:
    with psycopg.connect(log.database.auditor_dsn, autocommit=True) as connection:
        yield connection


def test_the_state_of_a_transaction(log: Log, auditor: psycopg.Connection) -> None:
    story = told_at(datetime(2026, 5, 1, tzinfo=UTC))
    sale = story.list_account()
    sale.open()
    sale.pay()
    log.tell(story.events)
    transaction = sale.transaction
    found = auditor.execute(CHECK_STATE.replace("<transaction_id>", f"'{transaction.id}'").encode()).fetchall()
    assert found == [
        (
            transaction.id,
            "funds_held",
            transaction.buyer_id,
            transaction.seller_id,
            sale.listing.id,
            transaction.created_on,
        )
    ]


def test_whether_and_to_whom_the_credentials_were_revealed(log: Log, auditor: psycopg.Connection) -> None:
    story = told_at(datetime(2026, 5, 1, tzinfo=UTC))
    sale, hidden = story.sell(), story.list_account()
    log.tell(story.events)
    query = CHECK_REVEAL.replace("<listing_id>", f"'{sale.listing.id}'").encode()
    assert auditor.execute(query).fetchall() == [(sale.transaction.revealed_at, sale.transaction.buyer_id)]
    query = CHECK_REVEAL.replace("<listing_id>", f"'{hidden.listing.id}'").encode()
    assert auditor.execute(query).fetchall() == [(None, None)]


def test_failed_transactions_in_the_last_hour(log: Log, auditor: psycopg.Connection) -> None:
    now = datetime.now(UTC)
    story = told_at(now - timedelta(hours=3))
    refund(story.list_account())
    story.at = now - timedelta(minutes=30)
    refund(story.list_account())
    refund(story.list_account())
    story.sell()
    log.tell(story.events)
    assert auditor.execute(FAILED_IN_LAST_HOUR.encode()).fetchall() == [(2,)]


def test_high_value_stuck_transactions(log: Log, auditor: psycopg.Connection) -> None:
    now = datetime.now(UTC)
    story = told_at(now - timedelta(days=8))
    held, signed, sold = story.list_account(12_950_000), story.list_account(), story.sell()
    held.open()
    held.pay()
    for step in (signed.open, signed.pay, signed.sign):
        step()
    story.at = now - timedelta(days=6)
    fresh = story.list_account()
    fresh.open()
    fresh.pay()
    log.tell(story.events)
    found = {row[0]: row[1:3] for row in auditor.execute(STUCK.encode()).fetchall()}
    assert found == {
        held.transaction.id: (Decimal("1000.00"), "funds_held"),
        signed.transaction.id: (Decimal("7.72"), "contract_signed"),
    }
    assert sold.transaction.state == "completed"


def test_an_auditor_reads_every_table_but_no_ciphertext_and_writes_nothing(
    log: Log, auditor: psycopg.Connection
) -> None:
    tables = log.rows("SELECT tablename FROM pg_tables WHERE tablename LIKE 'projection%%'")
    assert len(tables) == 2
    for name in ("transactions", "listings", "ledger_entries", "alerts", "projection_checkpoints"):
        auditor.execute(f"SELECT * FROM {name}".encode())
    auditor.execute("SET default_transaction_read_only = off")
    for forbidden in (
        "SELECT ciphertext FROM credential_vaults",
        "SELECT * FROM credential_vaults",
        "UPDATE transactions SET state = 'completed'",
        "DELETE FROM ledger_entries",
        "UPDATE projection_checkpoints SET position = 0",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            auditor.execute(forbidden.encode())
