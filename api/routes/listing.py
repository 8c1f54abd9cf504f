"""Selling: draft, price, deposit, submit; and the catalogue that everybody signed in can read."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.bodies import CredentialsBody, ListingBody, ListingPatch
from api.command import SellingDesk
from api.flows import listing as flow
from api.flows import proof
from api.flows.deposit import deposit
from api.http.body import Nothing
from api.http.path import PathId
from api.openapi import FILE_ANSWER, FILE_FORM
from api.reads.catalog import FILTERS, list_catalog, list_own_listings
from api.reads.page import Page
from api.reads.reading import Reader, reading
from api.strict_route import StrictRoute
from api.views.catalog import ListingItem
from api.views.listing import ListingView
from api.views.proof import ProofItem, ProofsView
from api.views.vault import DepositView
from domain.listing.commands import SubmitListing

router = APIRouter(prefix="/api/v1/listings", tags=["listings"], route_class=StrictRoute)
catalog = APIRouter(prefix="/api/v1/catalog", tags=["catalog"], route_class=StrictRoute)

PlainReader = Annotated[Reader, Depends(reading())]
OneReader = Annotated[Reader, Depends(reading("as_of"))]
ListReader = Annotated[Reader, Depends(reading("state", "limit", "cursor"))]
CatalogReader = Annotated[Reader, Depends(reading(*FILTERS, "limit", "cursor"))]


@router.post("", status_code=201, response_model=ListingView)
async def post_listing(body: ListingBody, desk: SellingDesk) -> Response:
    """Start a listing as a draft."""
    return await flow.draft(desk, body)


@router.get("", response_model=Page[ListingItem])
async def get_listings(reader: ListReader) -> Page[ListingItem]:
    """List your own listings, newest first."""
    return await list_own_listings(reader)


@router.get("/{listing_id}", response_model=ListingView)
async def get_listing(listing_id: PathId, reader: OneReader) -> Response:
    """Show a listing: your own in any state, others once they were approved."""
    return await flow.read(reader, listing_id)


@router.patch("/{listing_id}", response_model=ListingView)
async def patch_listing(listing_id: PathId, body: ListingPatch, desk: SellingDesk) -> Response:
    """Change price or text of a draft, or of a listing that staff sent back."""
    return await flow.revise(desk, listing_id, body)


@router.put("/{listing_id}/credentials", response_model=DepositView)
async def put_credentials(listing_id: PathId, body: CredentialsBody, desk: SellingDesk) -> Response:
    """Deposit the credentials: sealed at once, only the seller's password can hand them on."""
    result = await deposit(desk, listing_id, body.credentials)
    return desk.answer(result, DepositView.of(result.aggregate))


@router.post("/{listing_id}/proofs", status_code=201, response_model=ProofItem, openapi_extra=FILE_FORM)
async def post_proof(listing_id: PathId, desk: SellingDesk, http: Request) -> Response:
    """Put a file to a listing that can be changed; it is known by what it holds, and the same file again is one."""
    return await proof.attach(desk, listing_id, http)


@router.get("/{listing_id}/proofs", response_model=ProofsView)
async def get_proofs(listing_id: PathId, reader: PlainReader) -> ProofsView:
    """List the proofs: for the seller, staff, and the buyer whose transaction has the listing."""
    return await proof.show(reader, listing_id)


@router.get("/{listing_id}/proofs/{proof_id}", response_class=Response, responses=FILE_ANSWER)
async def get_proof(listing_id: PathId, proof_id: PathId, reader: PlainReader) -> Response:
    """Download a proof as an attachment."""
    return await proof.download(reader, listing_id, proof_id)


@router.delete("/{listing_id}/proofs/{proof_id}", response_model=ProofsView)
async def delete_proof(
    listing_id: PathId, proof_id: PathId, desk: SellingDesk, body: Nothing | None = None
) -> Response:
    """Take a proof away while the listing can be changed."""
    return await proof.remove(desk, listing_id, proof_id)


@router.post("/{listing_id}/submit", response_model=ListingView)
async def post_submit(listing_id: PathId, desk: SellingDesk, body: Nothing | None = None) -> Response:
    """Ask for the listing to be vetted."""
    return await flow.show(desk, await desk.run(listing_id, SubmitListing()))


@catalog.get("", response_model=Page[ListingItem])
async def get_catalog(reader: CatalogReader) -> Page[ListingItem]:
    """Search what is for sale: words in `q`, currency, price; newest, cheapest or dearest first."""
    return await list_catalog(reader)


@catalog.get("/{listing_id}", response_model=ListingView)
async def get_catalog_listing(listing_id: PathId, reader: OneReader) -> Response:
    """Show what is, or was, for sale."""
    return await flow.read(reader, listing_id)
