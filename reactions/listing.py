"""Listings follow their transaction: sold, free again, or removed when a refunded buyer has seen the credentials."""

from domain.listing import Listing
from domain.listing.commands import FollowTransactionEnd
from domain.listing.status import ListingStatus
from domain.transaction import Transaction
from domain.transaction.phase import Phase
from reactions.toolbox import Toolbox, order

SOLD = frozenset({Phase.COMPLETED, Phase.SPLIT})
NAME = "listings"


async def follow_end(tools: Toolbox, transaction: Transaction) -> bool:
    """Tell the listing once the transaction is over."""
    if not transaction.is_over:
        return False
    listing = await tools.escrow.get(Listing, transaction.listing_id)
    if listing.status is not ListingStatus.RESERVED or listing.transaction_id != transaction.id:
        return False
    command = FollowTransactionEnd(
        transaction_id=transaction.id,
        sold=transaction.phase in SOLD,
        shown=transaction.revealed_at is not None,
    )
    await order(tools, NAME, listing, command)
    return False
