"""Opening a transaction: the terms and the dollar rate of this moment are fixed in it."""

from uuid import UUID

from starlette.responses import Response

from api.command import Desk
from api.policy import get_rate, get_terms
from api.views.transaction import TransactionView
from domain.errors import NotFound
from domain.listing import Listing
from domain.transaction.commands import OpenTransaction


async def open_transaction(desk: Desk, listing_id: UUID) -> Response:
    """Reserve a listing. Raises what `Transaction.open` raises, and NotFound for a listing that nobody may see yet."""
    listing = await desk.dependencies.escrow.get(Listing, listing_id)
    if not listing.may_see(desk.actor):
        raise NotFound
    rate = get_rate(desk.dependencies, listing.price.currency)
    command = OpenTransaction(listing_id=listing_id, rate=rate, terms=await get_terms(desk.dependencies))
    return await desk.create(command, TransactionView.of)
