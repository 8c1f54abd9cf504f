"""Selling: one live transaction reserves a listing; it is freed or sold when that ends, or removed for good."""

from typing import TYPE_CHECKING
from uuid import UUID

from domain.errors import Refused
from domain.event import Event
from domain.listing.status import ListingStatus

if TYPE_CHECKING:
    from domain.listing import Listing


class ListingNotForSale(Refused):
    """This listing is not for sale: it is not approved, or a live transaction has reserved it."""

    code = "listing_not_for_sale"


class ListingReserved(Event):
    """A transaction was opened on the listing: nobody else can buy it."""

    TOPIC = "listing.reserved.v1"
    transaction_id: UUID

    def apply(self, aggregate: "Listing") -> None:
        """At most one live transaction holds it."""
        aggregate.status = ListingStatus.RESERVED
        aggregate.transaction_id = self.transaction_id


class ListingFreed(Event):
    """The transaction ended without a sale: the listing is for sale again."""

    TOPIC = "listing.freed.v1"
    transaction_id: UUID

    def apply(self, aggregate: "Listing") -> None:
        """It was vetted before and nothing was shown."""
        aggregate.status = ListingStatus.APPROVED
        aggregate.transaction_id = None


class ListingSold(Event):
    """The transaction was completed."""

    TOPIC = "listing.sold.v1"
    transaction_id: UUID

    def apply(self, aggregate: "Listing") -> None:
        """It is never for sale again."""
        aggregate.status = ListingStatus.SOLD


class ListingRemoved(Event):
    """Staff removed the listing, or a dispute found the seller at fault; it never returns by itself."""

    TOPIC = "listing.removed.v1"
    reason: str

    def apply(self, aggregate: "Listing") -> None:
        """It is never for sale again."""
        aggregate.status = ListingStatus.REMOVED
        aggregate.reason = self.reason
