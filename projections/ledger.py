"""Double entry: every line of every journal, and the balance of every account per currency."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from psycopg import sql

from database.connect import Pool
from database.queries import load
from domain.event import MoneyEvent
from domain.journal import CLIENT_LIABILITIES, SAFEGUARDED_ASSETS, UnbalancedJournal
from domain.transaction.event import TransactionMoneyEvent
from eventstore.converter import JSON, text_of
from eventstore.log import END, RecordedEvent
from eventstore.transcoder import list_event_classes
from projections.page import fetch_all
from projections.projection import Needed, Projection
from projections.rows import Rows, Table

SQL = load("projections", "ledger.sql")


class EntryRow(NamedTuple):
    """A row of `ledger_entries`: one line of a journal; a debit is positive, a credit negative, in minor units."""

    position: int
    line: int
    account: str
    subject: str
    transaction_id: UUID | None
    currency: str
    amount_minor: int
    topic: str
    timestamp: datetime
    recorded_at: datetime


class EntryLine(NamedTuple):
    """An entry as an account's page shows it: `balance_minor` is that of its account and currency after this line."""

    position: int
    line: int
    account: str
    subject: str
    transaction_id: UUID | None
    currency: str
    amount_minor: int
    topic: str
    timestamp: datetime
    recorded_at: datetime
    balance_minor: int


class AccountRow(NamedTuple):
    """A row of `ledger_accounts`: the sum of its lines up to `position`, the last one that moved it."""

    account: str
    currency: str
    balance_minor: int
    entries: int
    position: int


class TrialBalance(NamedTuple):
    """The books of one currency. `total_minor` is 0 and `safeguarded_minor` at least `owed_minor`, else it is a P0."""

    currency: str
    accounts: tuple[AccountRow, ...]
    total_minor: int
    safeguarded_minor: int
    owed_minor: int


ENTRIES = Table(name="ledger_entries", key=("position", "line"), columns=EntryRow._fields, is_append_only=True)
ACCOUNTS = Table(name="ledger_accounts", key=("account", "currency"), columns=AccountRow._fields)


async def list_accounts(pool: Pool, *, currency: str | None = None, as_of: int | None = None) -> list[AccountRow]:
    """Return the accounts by currency and name, now or when the log ended at `as_of`; there are a few dozen.

    The past is summed from the entries: ask only for a position that the ledger has reached.
    """
    query = SQL.list_accounts if as_of is None else SQL.list_accounts_as_of
    return await fetch_all(pool, AccountRow, query, {"currency": currency, "as_of": as_of})


async def list_trial_balances(pool: Pool, *, as_of: int | None = None) -> list[TrialBalance]:
    """Return the trial balance of every currency, now or when the log ended at `as_of`."""
    accounts = await list_accounts(pool, as_of=as_of)
    return [
        _balance(currency, [account for account in accounts if account.currency == currency])
        for currency in dict.fromkeys(account.currency for account in accounts)
    ]


async def list_entries(
    pool: Pool,
    account: str,
    *,
    currency: str | None = None,
    after: tuple[int, int] = (0, 0),
    as_of: int = END,
    limit: int = 100,
) -> list[EntryLine]:
    """Return the entries of an account with its running balance, oldest first, those after a (position, line)."""
    query = sql.SQL(SQL.list_entries).format(direction=sql.SQL("ASC"))
    return await fetch_all(pool, EntryLine, query, _page(account, currency, after, as_of, limit))


async def list_newest_entries(
    pool: Pool, account: str, *, currency: str | None = None, as_of: int = END, limit: int = 100
) -> list[EntryLine]:
    """Return the last entries of an account up to `as_of`, oldest of them first, with the running balance."""
    query = sql.SQL(SQL.list_entries).format(direction=sql.SQL("DESC"))
    return await fetch_all(pool, EntryLine, query, _page(account, currency, (0, 0), as_of, limit))


def _page(account: str, currency: str | None, after: tuple[int, int], as_of: int, limit: int) -> dict[str, object]:
    position, line = after
    return {
        "account": account,
        "currency": currency,
        "after_position": position,
        "after_line": line,
        "as_of": as_of,
        "limit": limit,
    }


def _balance(currency: str, accounts: list[AccountRow]) -> TrialBalance:
    return TrialBalance(
        currency=currency,
        accounts=tuple(accounts),
        total_minor=sum(account.balance_minor for account in accounts),
        safeguarded_minor=sum(a.balance_minor for a in accounts if a.account in SAFEGUARDED_ASSETS),
        owed_minor=-sum(a.balance_minor for a in accounts if a.account in CLIENT_LIABILITIES),
    )


Line = tuple[str, str, int]
Move = tuple[int, int, int]  # the sum of the lines in minor units, how many they are, the position of the last
NOTHING: Move = (0, 0, 0)


def fold(batch: Sequence[RecordedEvent], rows: Rows) -> None:
    """Add the lines, and move the balances by them; raise `UnbalancedJournal`."""
    moves: dict[tuple[str, JSON], Move] = {}
    for event in batch:
        _add_entries(event, rows)
        currency = event.data["currency"]
        for account, _, amount_minor in _lines(event):
            before, entries, _ = moves.get((account, currency), NOTHING)
            moves[account, currency] = (before + amount_minor, entries + 1, event.position)
    for (account, currency), move in moves.items():
        _move(rows, account, currency, *move)


def needed_accounts(batch: Sequence[RecordedEvent]) -> Iterable[Needed]:
    """Name the accounts that the lines touch."""
    return dict.fromkeys(
        (ACCOUNTS.name, (account, event.data["currency"])) for event in batch for account, _, _ in _lines(event)
    )


def _lines(event: RecordedEvent) -> list[Line]:
    return cast("list[Line]", event.data["postings"])


def _add_entries(event: RecordedEvent, rows: Rows) -> None:
    lines = _lines(event)
    if sum([amount_minor for _, _, amount_minor in lines]) != 0:
        raise UnbalancedJournal(event)
    data = event.data
    transaction_id = text_of(event.stream_id) if event.topic.startswith("transaction.") else None
    recorded_at = text_of(event.recorded_at)
    for line, (account, subject, amount_minor) in enumerate(lines, 1):
        rows.add(
            ENTRIES.name,
            {
                "position": event.position,
                "line": line,
                "account": account,
                "subject": subject,
                "transaction_id": transaction_id,
                "currency": data["currency"],
                "amount_minor": amount_minor,
                "topic": event.topic,
                "timestamp": data["timestamp"],
                "recorded_at": recorded_at,
            },
        )


def _move(rows: Rows, account: str, currency: JSON, amount_minor: int, entries: int, position: int) -> None:
    before = rows.find(ACCOUNTS.name, account, currency) or {"balance_minor": 0, "entries": 0}
    rows.put(
        ACCOUNTS.name,
        {
            "account": account,
            "currency": currency,
            "balance_minor": cast("int", before["balance_minor"]) + amount_minor,
            "entries": cast("int", before["entries"]) + entries,
            "position": position,
        },
    )


LEDGER = Projection(
    name="ledger",
    version=1,
    tables=(ENTRIES, ACCOUNTS),
    topics=frozenset(
        topic for topic, kind in list_event_classes().items() if issubclass(kind, (MoneyEvent, TransactionMoneyEvent))
    ),
    fold=fold,
    keys=needed_accounts,
    ddl=SQL,
)
