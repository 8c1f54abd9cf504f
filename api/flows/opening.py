"""Opening a transaction: the terms and the dollar rate of this moment are fixed in it."""

from uuid import UUID

from starlette.responses import Response

from api.command import Desk
from api.policy import get_rate, get_terms
from api.views.transaction import TransactionView
from domain.errors import NotFound
from domain.listing import Listing
from domain.money import Currency
from domain.transaction.commands import OpenTransaction
from domain.transaction.opening import UsdRate

RECORDED = UsdRate(currency=Currency.USD, units_per_usd="1", on="1970-01-01")
"""Stands for the rate where the log has the answer, whatever has become of listing and rates since."""


async def open_transaction(desk: Desk, listing_id: UUID) -> Response:
    """Reserve a listing. Raises what `Transaction.open` raises, and NotFound for a listing that nobody may see yet."""
    rate = RECORDED if await desk.is_repeat() else await _find_rate(desk, listing_id)
    command = OpenTransaction(listing_id=listing_id, rate=rate, terms=await get_terms(desk.dependencies))
    return await desk.create(command, TransactionView.of)


async def _find_rate(desk: Desk, listing_id: UUID) -> UsdRate:
    listing = await desk.dependencies.escrow.get(Listing, listing_id)
    if not listing.may_see(desk.actor):
        raise NotFound
    return get_rate(desk.dependencies, listing.price.currency)
