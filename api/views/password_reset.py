"""What a new password takes with it, and the recovery key that keeps it."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field


class LossView(BaseModel):
    """Credentials that nobody can open after the reset. `role` is yours in it.

    As the seller you can deposit again; as the buyer you need the seller to. Else the money goes back after 72 hours.
    """

    listing_id: UUID
    transaction_id: UUID | None
    role: str


class ResetView(BaseModel):
    """What a reset does: without `is_done` nothing has happened yet."""

    is_done: bool
    losses: list[LossView]
    needs_second_factor: bool
    has_recovery_key: bool


class RecoveryKeyView(BaseModel):
    """A new recovery key, shown once: print it, keep it where your password is not, and delete this answer."""

    recovery_key: str = Field(repr=False)


class RecoveryKeyStatusView(BaseModel):
    """Whether there is a recovery key, and since when."""

    created_at: datetime | None
