"""Listings in lists, from the read model."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from api.views.money import MoneyView
from api.views.proof import count_kinds
from projections.listing import ListingRow


class ListingItem(BaseModel):
    """One listing of a list; title and description are null once they were erased."""

    id: UUID
    state: str
    seller_id: UUID
    price: MoneyView
    title: str | None
    description: str | None
    proofs: dict[str, int]
    created_at: datetime
    version: int

    @classmethod
    def of(cls, row: ListingRow, text: Mapping[str, str], proofs: Mapping[str, int]) -> "ListingItem":
        """Show a row with its text, and how many proofs of each media type it has."""
        return cls(
            id=row.id,
            state=row.state,
            seller_id=row.seller_id,
            price=MoneyView(amount_minor=row.amount_minor, currency=row.currency),
            title=text.get("title"),
            description=text.get("description"),
            proofs=count_kinds(proofs),
            created_at=row.created_at,
            version=row.version,
        )
