"""The `transactions` table: each row is derived from the aggregate, so that the domain alone says what a phase is."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from database.connect import Pool
from database.queries import load
from domain.journal import Account
from domain.policy import STUCK_AFTER
from domain.transaction import Transaction
from domain.transaction.records import ContractStatus, PayoutPurpose, PayoutStatus, RefundStatus
from eventstore.converter import text_of
from eventstore.log import RecordedEvent
from projections.page import Moment, fetch_all, fetch_one
from projections.projection import Projection, no_keys
from projections.reader import topics_of
from projections.rows import Row, Rows, Table

SQL = load("projections", "transaction.sql")


class TransactionRow(NamedTuple):
    """A row of `transactions`; amounts in minor units of `currency`, `amount_usd` for limits and reports only."""

    id: UUID
    state: str
    buyer_id: UUID
    seller_id: UUID
    listing_id: UUID
    vault_id: UUID
    currency: str
    amount_minor: int
    amount_usd: Decimal
    fee_minor: int
    received_minor: int
    held_minor: int
    refunded_minor: int
    charged_back_minor: int
    created_at: datetime
    updated_at: datetime
    funds_held_at: datetime | None
    contract_signed_at: datetime | None
    credentials_released_at: datetime | None
    completed_at: datetime | None
    refunded_at: datetime | None
    disputed_at: datetime | None
    state_since: datetime
    deadline_at: datetime | None
    deadline_kind: str | None
    stuck_reason: str | None
    version: int
    position: int


class StateCount(NamedTuple):
    """How many transactions are in a state, and since when the oldest of them."""

    state: str
    transactions: int
    oldest_since: datetime


TRANSACTION = Table(name="transactions", key=("id",), columns=TransactionRow._fields)


async def get_transaction(pool: Pool, transaction_id: UUID) -> TransactionRow | None:
    """Return one transaction, None when there is none."""
    return await fetch_one(pool, TransactionRow, SQL.get, {"id": transaction_id})


async def list_transactions(
    pool: Pool,
    *,
    party_id: UUID | None = None,
    states: Sequence[str] | None = None,
    stuck_at: datetime | None = None,
    before: Moment | None = None,
    limit: int = 20,
) -> list[TransactionRow]:
    """Return transactions, newest first; `before` is the (created_at, id) of the last one of the page before.

    With `stuck_at`, the present time, only those whose payout failed or whose state has lasted more than 7 days.
    """
    at, last_id = before or (None, None)
    parameters = {
        "party_id": party_id,
        "states": None if states is None else list(states),
        "stuck_before": None if stuck_at is None else stuck_at - STUCK_AFTER,
        "before_at": at,
        "before_id": last_id,
        "limit": limit,
    }
    return await fetch_all(pool, TransactionRow, SQL.list, parameters)


async def count_by_state(pool: Pool) -> list[StateCount]:
    """Return how many transactions are in each state."""
    return await fetch_all(pool, StateCount, SQL.count_by_state, {})


def fold(batch: Sequence[RecordedEvent], rows: Rows) -> None:
    """Advance the aggregates that the batch touches and derive their rows once."""
    for transaction, position in rows.streams.advance(batch):
        assert isinstance(transaction, Transaction)
        rows.put(TRANSACTION.name, row_of(transaction, position))


def row_of(transaction: Transaction, position: int) -> Row:
    """Return the row; `position` is that of the last event of this transaction."""
    deadline = transaction.next_deadline
    return {
        "id": text_of(transaction.id),
        "state": str(transaction.phase),
        "buyer_id": text_of(transaction.buyer_id),
        "seller_id": text_of(transaction.seller_id),
        "listing_id": text_of(transaction.listing_id),
        "vault_id": text_of(transaction.vault_id),
        "created_at": text_of(transaction.created_on),
        "updated_at": text_of(transaction.modified_on),
        **_amounts(transaction),
        **_moments(transaction),
        "state_since": text_of(transaction.phase_since),
        "deadline_at": None if deadline is None else text_of(deadline.at),
        "deadline_kind": None if deadline is None else str(deadline.kind),
        "stuck_reason": transaction.stuck_reason,
        "version": transaction.version,
        "position": position,
    }


def _amounts(transaction: Transaction) -> Row:
    cents = transaction.amount_usd_cents
    return {
        "currency": str(transaction.price.currency),
        "amount_minor": transaction.price.amount_minor,
        "amount_usd": f"{cents // 100}.{cents % 100:02d}",
        "fee_minor": _fee_minor(transaction),
        "received_minor": transaction.received_minor,
        "held_minor": transaction.held_minor,
        "refunded_minor": _refunded_minor(transaction),
        "charged_back_minor": transaction.charged_back_minor,
    }


def _fee_minor(transaction: Transaction) -> int:
    """The commission that was taken, once it is settled; until then what the terms would take of the price."""
    if transaction.settled_at is None:
        return transaction.terms.fee_minor(transaction.price.amount_minor)
    return transaction.owed(Account.PLATFORM_FEE)


def _refunded_minor(transaction: Transaction) -> int:
    """What the buyer has back of the price, through refunds or through transfers in their stead."""
    refunds = sum(
        [r.amount_minor for r in transaction.refunds.values() if r.status is RefundStatus.PROCESSED and r.is_of_price]
    )
    transfers = sum(
        [
            max(0, p.amount_minor - transaction.stray_in_payouts[p.reference])
            for p in transaction.payouts.values()
            if p.purpose is PayoutPurpose.REFUND and p.status is PayoutStatus.SUCCEEDED
        ]
    )
    return refunds + transfers


def _moments(transaction: Transaction) -> Row:
    return {
        "funds_held_at": _text(transaction.funds_held_at),
        "contract_signed_at": _text(_contract_signed_at(transaction)),
        "credentials_released_at": _text(transaction.revealed_at),
        "completed_at": _text(transaction.completed_at),
        "refunded_at": _text(transaction.refunded_at),
        "disputed_at": _text(max((d.opened_at for d in transaction.disputes.values()), default=None)),
    }


def _contract_signed_at(transaction: Transaction) -> datetime | None:
    """When the second of the two signed."""
    if transaction.contract is not ContractStatus.SIGNED:
        return None
    signed = (transaction.buyer_signed_at, transaction.seller_signed_at)
    return max(at for at in signed if at is not None)


def _text(at: datetime | None) -> str | None:
    return None if at is None else text_of(at)


TRANSACTIONS = Projection(
    name="transactions",
    version=10,
    tables=(TRANSACTION,),
    topics=topics_of("transaction"),
    fold=fold,
    keys=no_keys,
    ddl=SQL,
)
