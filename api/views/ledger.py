"""The books: accounts, the lines of their journals, and the trial balance."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from projections.ledger import AccountRow, EntryLine, TrialBalance


class AccountItem(BaseModel):
    """One account of one currency; a debit balance is positive, a credit balance negative."""

    account: str
    currency: str
    balance_minor: int
    entries: int
    position: int

    @classmethod
    def of(cls, row: AccountRow) -> Self:
        """Show a row."""
        return cls.model_validate(row._asdict())


class EntryItem(BaseModel):
    """One line of a journal, and the balance of its account after it; a debit is positive, a credit negative."""

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

    @classmethod
    def of(cls, row: EntryLine) -> Self:
        """Show a row."""
        return cls.model_validate(row._asdict())


class TrialBalanceItem(BaseModel):
    """The books of one currency: the total is 0, and what is safeguarded covers what is owed."""

    currency: str
    accounts: list[AccountItem]
    total_minor: int
    safeguarded_minor: int
    owed_minor: int

    @classmethod
    def of(cls, books: TrialBalance) -> Self:
        """Show the books of one currency."""
        return cls.model_validate({**books._asdict(), "accounts": [AccountItem.of(row) for row in books.accounts]})


class AccountsView(BaseModel):
    """Every account of every currency."""

    items: list[AccountItem]


class TrialBalanceView(BaseModel):
    """The books of every currency, now or as of a position of the log."""

    items: list[TrialBalanceItem]
    as_of: int | None
