"""Statements: the lines of the ledger that concern a person or a transaction, with what was there before and after.

Nobody reads a table that is behind the others: a statement reaches as far as all the tables that it is read from.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg import sql

from database.connect import Pool
from database.queries import load
from domain.journal import BUYER_CLAIMS, SELLER_CLAIMS, Account
from domain.transaction.phase import SOURCES
from projections.ledger import LEDGER
from projections.page import fetch_all
from projections.payout import PAYOUTS
from projections.reached import get_reached
from projections.transaction import TRANSACTIONS

SQL = load("projections", "statement.sql")
LINES = sql.SQL(SQL.lines)
TOTALS_OF_LINES, PAGE_OF_LINES = (sql.SQL(query).format(lines=LINES) for query in (SQL.list_totals, SQL.list_lines))
SOURCES_OF_STATEMENTS = (LEDGER.name, TRANSACTIONS.name, PAYOUTS.name)
LAST_LINE = 2**15 - 1
"""No journal has more lines: `line` is a smallint."""

Place = tuple[int, int]
"""A position of the log and a line of its journal."""


class Subject(NamedTuple):
    """Whose statement: all lines of a transaction, a person's claims in all of his, or his claims in one."""

    transaction_id: UUID | None = None
    user_id: UUID | None = None


class StatementLine(NamedTuple):
    """A line: one of debit and credit is 0; `balance_minor` is that of its account here, debits less credits."""

    position: int
    line: int
    recorded_at: datetime
    transaction_id: UUID
    account: str
    subject: str
    topic: str
    currency: str
    debit_minor: int
    credit_minor: int
    balance_minor: int


class StatementTotal(NamedTuple):
    """An account of a statement; balances are debits less credits, so what is owed to a person is negative."""

    account: str
    currency: str
    opening_minor: int
    debits_minor: int
    credits_minor: int
    closing_minor: int


class Owed(NamedTuple):
    """What the platform owes a person, over all the accounts of a statement; negative when the person owes."""

    currency: str
    opening_minor: int
    closing_minor: int


async def find_end(pool: Pool, until: int) -> int:
    """Return the position that a statement reaches: `until`, or how far the tables are if that is less."""
    return min(until, await get_reached(pool, SOURCES_OF_STATEMENTS))


async def list_totals(pool: Pool, subject: Subject, *, after: int, until: int) -> list[StatementTotal]:
    """Return every account of a statement about after < position <= until; `until` has been reached."""
    return await fetch_all(pool, StatementTotal, TOTALS_OF_LINES, _facts(subject) | {"after": after, "until": until})


async def list_lines(
    pool: Pool, subject: Subject, *, after: Place, until: int, limit: int = 1000
) -> list[StatementLine]:
    """Return the next lines of a statement after a place, oldest first."""
    position, line = after
    bounds = {"after": position, "after_line": line, "until": until, "limit": limit}
    return await fetch_all(pool, StatementLine, PAGE_OF_LINES, _facts(subject) | bounds)


def begin_after(position: int) -> Place:
    """Return the place from which the first line after a position is read."""
    return position, LAST_LINE


def list_owed(totals: Sequence[StatementTotal]) -> list[Owed]:
    """Return what is owed to the person whose totals these are, per currency."""
    opening, closing = Counter[str](), Counter[str]()
    for total in totals:
        opening[total.currency] -= total.opening_minor
        closing[total.currency] -= total.closing_minor
    return [Owed(currency, opening[currency], closing[currency]) for currency in closing]


def _facts(subject: Subject) -> dict[str, object]:
    return {
        **subject._asdict(),
        "in_flight": str(Account.PAYOUT_IN_FLIGHT),
        "buyer_accounts": list(map(str, BUYER_CLAIMS)),
        "seller_accounts": list(map(str, SELLER_CLAIMS)),
        "buyer_purposes": [str(purpose) for purpose, source in SOURCES.items() if source in BUYER_CLAIMS],
        "seller_purposes": [str(purpose) for purpose, source in SOURCES.items() if source in SELLER_CLAIMS],
    }
