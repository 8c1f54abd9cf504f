"""A statement: balances before and after, and the lines between them."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from projections.statement import Owed, StatementLine, StatementTotal


class LineItem(BaseModel):
    """One line: one of debit and credit is 0; the balance is its account's after it, debits less credits."""

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

    @classmethod
    def of(cls, row: StatementLine) -> Self:
        """Show a row."""
        return cls.model_validate(row._asdict())


class TotalItem(BaseModel):
    """One account of the statement; balances are debits less credits, so that what is owed to a person is negative."""

    account: str
    currency: str
    opening_minor: int
    debits_minor: int
    credits_minor: int
    closing_minor: int

    @classmethod
    def of(cls, row: StatementTotal) -> Self:
        """Show a row."""
        return cls.model_validate(row._asdict())


class OwedItem(BaseModel):
    """What the platform owes the person; negative when the person owes the platform."""

    currency: str
    opening_minor: int
    closing_minor: int

    @classmethod
    def of(cls, row: Owed) -> Self:
        """Show a row."""
        return cls.model_validate(row._asdict())


class StatementView(BaseModel):
    """What was recorded from `since` on and before `until`, as far as `position`; totals are of the whole statement.

    `owed` is empty for a statement of everybody's lines, whose sum is always zero.
    """

    transaction_id: UUID | None
    user_id: UUID | None
    since: datetime | None
    until: datetime | None
    position: int
    owed: list[OwedItem]
    accounts: list[TotalItem]
    items: list[LineItem]
    next_cursor: str | None
