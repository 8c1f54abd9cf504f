"""Rows of the read models as lists show them."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from api.views.money import MoneyView
from projections.admin_action import AdminActionRow
from projections.alert import AlertRow
from projections.approval import ApprovalRow
from projections.transaction import TransactionRow


class TransactionItem(BaseModel):
    """One transaction of a list."""

    id: UUID
    state: str
    state_since: datetime
    buyer_id: UUID
    seller_id: UUID
    listing_id: UUID
    price: MoneyView
    amount_usd: str
    created_at: datetime
    deadline_at: datetime | None
    stuck_reason: str | None
    version: int
    position: int

    @classmethod
    def of(cls, row: TransactionRow) -> Self:
        """Show a row."""
        return cls(
            id=row.id,
            state=row.state,
            state_since=row.state_since,
            buyer_id=row.buyer_id,
            seller_id=row.seller_id,
            listing_id=row.listing_id,
            price=MoneyView(amount_minor=row.amount_minor, currency=row.currency),
            amount_usd=str(row.amount_usd),
            created_at=row.created_at,
            deadline_at=row.deadline_at,
            stuck_reason=row.stuck_reason,
            version=row.version,
            position=row.position,
        )


class ApprovalItem(BaseModel):
    """One request for a second pair of eyes, with all that would be carried out."""

    approval_id: UUID
    transaction_id: UUID
    action: str
    status: str
    amount_minor: int
    purpose: str | None
    recipient: str | None
    dispute_id: UUID | None
    finding: str | None
    to_buyer_minor: int | None
    to_seller_minor: int | None
    compensation_minor: int
    reason: str
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    decided_by: str | None
    decided_at: datetime | None

    @classmethod
    def of(cls, row: ApprovalRow) -> Self:
        """Show a row."""
        return cls.model_validate(row._asdict())


class ActionItem(BaseModel):
    """One thing that staff did."""

    position: int
    action: str
    actor_id: str
    actor_role: str
    kind: str
    subject_id: UUID
    transaction_id: UUID | None
    amount_minor: int | None
    currency: str | None
    reason: str | None
    created_at: datetime

    @classmethod
    def of(cls, row: AdminActionRow) -> Self:
        """Show a row."""
        return cls.model_validate(row._asdict())


class AlertItem(BaseModel):
    """One thing that somebody has to look at; P0 is worst."""

    position: int
    severity: str
    kind: str
    subject: str
    transaction_id: UUID | None
    amount_minor: int | None
    detail: str | None
    created_at: datetime
    raised_at: datetime

    @classmethod
    def of(cls, row: AlertRow) -> Self:
        """Show a row."""
        return cls.model_validate(row._asdict())
