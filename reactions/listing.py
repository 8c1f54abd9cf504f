"""Listings follow their transaction: sold, free again, or removed when it was not sold and a buyer saw the credentials.

What is free again can be handed over to the next buyer: a deposit that nothing opens any more leaves the listing first.
"""

from domain.listing import Listing
from domain.listing.commands import FollowTransactionEnd
from domain.listing.status import ListingStatus
from domain.transaction import Transaction
from domain.transaction.phase import Phase
from reactions.loss import is_custody_lost, lose_listed
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
    if not command.sold and not command.shown:
        listing = await _part_with_lost(tools, listing, transaction)
    await order(tools, NAME, listing, command)
    return False


async def _part_with_lost(tools: Toolbox, listing: Listing, transaction: Transaction) -> Listing:
    vault_id = listing.vault_id
    if vault_id is None:
        return listing
    is_lost = vault_id in transaction.superseded_vaults or await is_custody_lost(tools, vault_id)
    return await lose_listed(tools, listing, vault_id) if is_lost else listing
