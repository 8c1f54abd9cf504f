"""A listing: the facts from the log, the text from the erasable contents."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from api.views.money import MoneyView
from api.views.proof import count_kinds
from domain.actor import Actor
from domain.listing import Listing


class ListingView(BaseModel):
    """An account offered for sale; title and description are null once they were erased.

    `proofs` says how many there are of each kind: image, document, video. `reason` is what staff last asked or objected
    to; only the seller and staff see it.
    """

    id: UUID
    version: int
    state: str
    seller_id: UUID
    price: MoneyView
    title: str | None
    description: str | None
    content_sha256: str
    vault_id: UUID | None
    transaction_id: UUID | None
    proofs: dict[str, int]
    reason: str | None
    created_at: datetime
    allowed_actions: list[str]

    @classmethod
    def of(cls, listing: Listing, actor: Actor, text: Mapping[str, str]) -> "ListingView":
        """Show a listing with its text, as of its last event."""
        return cls(
            id=listing.id,
            version=listing.version,
            state=listing.state,
            seller_id=listing.seller_id,
            price=MoneyView.of(listing.price),
            title=text.get("title"),
            description=text.get("description"),
            content_sha256=listing.content_sha256,
            vault_id=listing.vault_id,
            transaction_id=listing.transaction_id,
            proofs=count_kinds(Counter(proof.media_type for proof in listing.proofs.values())),
            reason=listing.reason if listing.may_know_reason(actor) else None,
            created_at=listing.created_on,
            allowed_actions=list(listing.allowed_actions(actor, listing.modified_on)),
        )
