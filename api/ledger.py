"""The books, now or as of a position of the log."""

from api.reading import Reader
from api.views.row import AccountItem, AccountsView, TrialBalanceItem, TrialBalanceView
from database.queries import load
from domain.journal import CLIENT_LIABILITIES, SAFEGUARDED_ASSETS
from projections.ledger import AccountRow, list_accounts
from projections.page import fetch_all

SQL = load("api", "ledger.sql")


async def read_accounts(reader: Reader) -> AccountsView:
    """Return every account."""
    rows = await _accounts(reader, await reader.past_position())
    return AccountsView(items=[AccountItem.of(row) for row in rows])


async def read_trial_balance(reader: Reader) -> TrialBalanceView:
    """Return the books of every currency."""
    position = await reader.past_position()
    rows = await _accounts(reader, position)
    currencies = dict.fromkeys(row.currency for row in rows)
    return TrialBalanceView(items=[_balance(currency, rows) for currency in currencies], as_of=position)


def _balance(currency: str, rows: list[AccountRow]) -> TrialBalanceItem:
    own = [row for row in rows if row.currency == currency]
    return TrialBalanceItem(
        currency=currency,
        accounts=[AccountItem.of(row) for row in own],
        total_minor=sum(row.balance_minor for row in own),
        safeguarded_minor=sum(row.balance_minor for row in own if row.account in SAFEGUARDED_ASSETS),
        owed_minor=-sum(row.balance_minor for row in own if row.account in CLIENT_LIABILITIES),
    )


async def _accounts(reader: Reader, position: int | None) -> list[AccountRow]:
    pool = reader.dependencies.pool
    if position is None:
        return await list_accounts(pool)
    return await fetch_all(pool, AccountRow, SQL.list_accounts_as_of, {"position": position})
