"""Who did what, as those see it who watch over the others."""

from dataclasses import asdict
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from identity.access_log import AccessRow, SecurityAlert


class AccessItem(BaseModel):
    """One access, or the same so many `times` within an hour; `user_id` is who it was, or whose account was tried."""

    id: int
    first_at: datetime
    last_at: datetime
    times: int
    action: str
    outcome: str
    reason: str | None
    user_id: UUID | None
    role: str | None
    object_id: UUID | None
    request_id: str
    address: str | None = Field(repr=False)
    user_agent: str | None = Field(repr=False)

    @classmethod
    def of(cls, row: AccessRow) -> Self:
        """Show a row."""
        return cls.model_validate(asdict(row))


class SecurityAlertItem(BaseModel):
    """Attempts of one person to see the credentials of one transaction that nobody makes by accident."""

    id: int
    kind: str
    transaction_id: UUID
    user_id: UUID
    first_at: datetime
    last_at: datetime
    times: int

    @classmethod
    def of(cls, row: SecurityAlert) -> Self:
        """Show a row."""
        return cls.model_validate(asdict(row))
