"""Listings in lists, from the read model."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from api.views.money import MoneyView
from projections.listing import ListingRow


class ListingItem(BaseModel):
    """One listing of a list; title and description are null once they were erased."""

    id: UUID
    state: str
    seller_id: UUID
    price: MoneyView
    title: str | None
    description: str | None
    created_at: datetime
    version: int

    @classmethod
    def of(cls, row: ListingRow, text: Mapping[str, str]) -> "ListingItem":
        """Show a row with its text."""
        return cls(
            id=row.id,
            state=row.state,
            seller_id=row.seller_id,
            price=MoneyView(amount_minor=row.amount_minor, currency=row.currency),
            title=text.get("title"),
            description=text.get("description"),
            created_at=row.created_at,
            version=row.version,
        )
