"""Vetting: the seller submits a listing, and staff approve it, reject it or ask for more."""

from typing import TYPE_CHECKING

from domain.errors import Refused
from domain.event import Event
from domain.listing.status import ListingStatus

if TYPE_CHECKING:
    from domain.listing import Listing


class ListingNotDecidable(Refused):
    """Only a submitted listing can be approved, rejected or sent back with a question."""

    code = "listing_not_decidable"


class ListingSubmitted(Event):
    """The seller asks for the listing to be vetted."""

    TOPIC = "listing.submitted.v1"

    def apply(self, aggregate: "Listing") -> None:
        """Staff decide next."""
        aggregate.status = ListingStatus.SUBMITTED
        aggregate.reason = None


class ListingApproved(Event):
    """Staff vetted the listing: it may be bought."""

    TOPIC = "listing.approved.v1"

    def apply(self, aggregate: "Listing") -> None:
        """It is for sale."""
        aggregate.status = ListingStatus.APPROVED


class ListingRejected(Event):
    """Staff refused the listing, with a reason for the seller."""

    TOPIC = "listing.rejected.v1"
    reason: str

    def apply(self, aggregate: "Listing") -> None:
        """The seller may revise it."""
        aggregate.status = ListingStatus.REJECTED
        aggregate.reason = self.reason


class ListingInfoRequested(Event):
    """Staff cannot decide yet: the seller is asked for more, and submits again when he has answered."""

    TOPIC = "listing.info_requested.v1"
    reason: str

    def apply(self, aggregate: "Listing") -> None:
        """It is the seller's turn."""
        aggregate.status = ListingStatus.INFO_REQUESTED
        aggregate.reason = self.reason
