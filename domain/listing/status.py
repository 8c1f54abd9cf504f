"""Where a listing stands."""

from enum import StrEnum


class ListingStatus(StrEnum):
    """Where a listing stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    INFO_REQUESTED = "info_requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    RESERVED = "reserved"
    SOLD = "sold"
    REMOVED = "removed"


EDITABLE = frozenset({ListingStatus.DRAFT, ListingStatus.REJECTED, ListingStatus.INFO_REQUESTED})
FINAL = frozenset({ListingStatus.SOLD, ListingStatus.REMOVED})
