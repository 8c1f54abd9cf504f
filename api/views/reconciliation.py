"""Runs that held the books against the payment processor's, as auditors see them."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from projections.reconciliation import DifferenceRow, ReconciliationRow


class FigureItem(BaseModel):
    """An account here and at the processor; what is pending and what is listed explain the distance."""

    account: str
    currency: str
    ledger_minor: int
    processor_minor: int
    pending_minor: int
    listed_minor: int


class DifferenceItem(BaseModel):
    """One difference, with the command that settles it; amounts are null where one side has nothing."""

    number: int
    kind: str
    subject: str
    reference: str
    processor_id: str | None
    transaction_id: UUID | None
    currency: str
    ledger_minor: int | None
    processor_minor: int | None
    sentence: str
    command: str

    @classmethod
    def of(cls, row: DifferenceRow) -> Self:
        """Show a row."""
        return cls.model_validate({name: value for name, value in row._asdict().items() if name in cls.model_fields})


class ReconciliationItem(BaseModel):
    """One run: how many differences of which kind, and the accounts; `cut_position` is where the books stood."""

    id: UUID
    position: int
    since: datetime
    until: datetime
    cut_position: int
    matched: int
    pending: int
    differences: int
    counts: dict[str, int]
    figures: list[FigureItem]
    actor_id: str
    completed_at: datetime

    @classmethod
    def of(cls, row: ReconciliationRow) -> Self:
        """Show a row."""
        return cls.model_validate(row._asdict())


class ReconciliationView(ReconciliationItem):
    """One run with the differences that it listed, at most 500."""

    listed: list[DifferenceItem]
