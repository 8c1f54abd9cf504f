"""Listings: the text is kept outside the log, then the command names its hash."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from starlette.responses import Response

from api.bodies import ListingBody, ListingPatch
from api.command import Desk
from api.content import Content, keep_words, read_contents, rehearse_content, require_same_words
from api.dependencies import Dependencies
from api.reads.reading import Reader
from api.views.listing import ListingView
from domain.content import Text
from domain.errors import PreconditionFailed, VersionConflict
from domain.listing import Listing
from domain.listing.commands import DraftListing, ReviseListing
from domain.money import Money
from eventstore.escrow import Result

KIND = "listing"


async def draft(desk: Desk, body: ListingBody) -> Response:
    """Start a listing. Raises IdempotencyMismatch where the key was used for other words."""
    desk.require_new()
    price = body.price.to_money()
    text = {"title": body.title, "description": body.description}
    stream_id = desk.dependencies.escrow.new_id()
    rehearsed = await desk.rehearse(stream_id, _draft(desk, price, rehearse_content(desk.request, KIND)))
    if desk.is_dry and rehearsed is not None:
        return desk.answer(rehearsed, ListingView.of(rehearsed.aggregate, desk.actor, text))
    content = await keep_words(desk.dependencies, desk.request, KIND, text)
    result = await desk.run(stream_id, _draft(desk, price, content))
    return await show(desk, result, status=201)


async def revise(desk: Desk, listing_id: UUID, patch: ListingPatch) -> Response:
    """Change what the patch names; the rest stays. Raises VersionConflict when somebody else changed it meanwhile.

    Raises IdempotencyMismatch where the key was used for other words.
    """
    said = patch.model_dump(include={"title", "description"}, exclude_none=True)
    listing = await desk.get(Listing, listing_id)
    price = patch.price.to_money() if patch.price else listing.price
    planned = _revise(price, rehearse_content(desk.request, KIND))
    rehearsed = await desk.rehearse(listing_id, planned)
    if rehearsed is None:
        replayed = await desk.run(listing_id, planned)
        require_same_words(await _get_text(desk.dependencies, replayed.aggregate), said)
        return await show(desk, replayed)
    text = await _get_text(desk.dependencies, listing) | said
    if desk.is_dry:
        return desk.answer(rehearsed, ListingView.of(rehearsed.aggregate, desk.actor, text))
    # A key that was refused can be used again: then for a text made from another version, so under another id.
    of_version = desk.about(str(listing.version)).request
    content = await keep_words(desk.dependencies, of_version, KIND, text, said)
    return await show(desk, await _run_at(desk, listing, _revise(price, content)))


async def _run_at(desk: Desk, listing: Listing, command: ReviseListing) -> Result[Listing]:
    """Carry it out on the version that its text was made from, and on no other."""
    try:
        return await replace(desk, expected_version=listing.version).run(listing.id, command)
    except PreconditionFailed:
        if desk.expected_version is not None:
            raise
        raise VersionConflict from None


def _draft(desk: Desk, price: Money, content: Content) -> DraftListing:
    return DraftListing(
        seller_id=UUID(desk.actor.id), price=price, content_id=content.id, content_sha256=content.sha256
    )


def _revise(price: Money, content: Content) -> ReviseListing:
    return ReviseListing(price=price, content_id=content.id, content_sha256=content.sha256)


async def _get_text(dependencies: Dependencies, listing: Listing) -> dict[str, str]:
    """Return what the seller wrote; empty once it was erased."""
    found: Mapping[UUID, Text] = await read_contents(dependencies.pool, [listing.content_id])
    return dict(found.get(listing.content_id, {}))


async def read(reader: Reader, listing_id: UUID) -> Response:
    """Answer a read with the listing and its text, as it is or was. Raises NotFound."""
    listing = await reader.get(Listing, listing_id)
    text = await _get_text(reader.dependencies, listing)
    return reader.show(listing, ListingView.of(listing, reader.actor, text))


async def show(desk: Desk, result: Result[Listing], *, status: int = 200) -> Response:
    """Answer a command with the listing and its text."""
    text = await _get_text(desk.dependencies, result.aggregate)
    return desk.answer(result, ListingView.of(result.aggregate, desk.actor, text), status=status)
