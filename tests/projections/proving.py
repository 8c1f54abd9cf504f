"""Listings in stories whose sellers put files to them and take some away again."""

from uuid import UUID

from domain.actor import Actor, Role
from domain.listing import Listing
from domain.listing.commands import DraftListing
from domain.money import Currency, Money
from tests.projections.stories import Story

MEDIA_TYPES = ("image/png", "application/pdf", "video/mp4")


def tell_of_proofs(story: Story, listings: int) -> None:
    """So many listings, each with three files, of which the first is taken away before the last comes."""
    for _ in range(listings):
        seller = story.person(Role.SELLER)
        draft = DraftListing(
            seller_id=UUID(seller.id), price=Money(70_000, Currency.KES), content_id=story.id(), content_sha256="a" * 64
        )
        listing = draft.create(story.id(), story.context(seller))
        story.keep(listing)
        _attach(story, seller, listing, 0)
        _attach(story, seller, listing, 1)
        first = next(iter(listing.proofs))
        story.act(listing, seller, lambda listing=listing, first=first: listing.remove_proof(first))
        _attach(story, seller, listing, 2)


def _attach(story: Story, seller: Actor, listing: Listing, number: int) -> None:
    proof_id, sha256 = story.id(), story.random.randbytes(32).hex()
    story.act(listing, seller, lambda: listing.attach_proof(proof_id, sha256, MEDIA_TYPES[number], 1_000 + number))
