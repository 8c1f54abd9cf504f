"""Stories of listings for the golden log."""

from uuid import UUID

from domain.listing.commands import (
    ApproveListing,
    AttachProof,
    RejectListing,
    RemoveProof,
    RequestInfo,
    ReviseListing,
    SubmitListing,
)
from domain.money import Currency, Money
from tests.domain.paths import REASON
from tests.domain.people import ADMIN, SELLER
from tests.domain.story import LISTING_ID, Story


def revised() -> Story:
    """A listing that staff refuse and the seller revises."""
    story = Story()
    story.draft()
    story.do(RejectListing(reason=REASON), ADMIN, LISTING_ID)
    revision = ReviseListing(price=Money(90_000, Currency.KES), content_id=UUID(int=0x45), content_sha256="9" * 64)
    story.do(revision, SELLER, LISTING_ID)
    story.do(SubmitListing(), SELLER, LISTING_ID)
    story.do(ApproveListing(), ADMIN, LISTING_ID)
    return story


def asked_for_more() -> Story:
    """A listing that staff send back with a question, and approve when it was answered."""
    story = Story()
    story.draft()
    story.do(RequestInfo(reason=REASON), ADMIN, LISTING_ID)
    story.do(SubmitListing(), SELLER, LISTING_ID)
    story.do(ApproveListing(), ADMIN, LISTING_ID)
    return story


def proved() -> Story:
    """A listing that is sent back for want of proof: its seller attaches two files and takes one away again."""
    story = Story()
    story.draft()
    story.do(RequestInfo(reason=REASON), ADMIN, LISTING_ID)
    for number, media_type in enumerate(("image/png", "application/pdf"), start=1):
        proof = AttachProof(
            proof_id=UUID(int=0xF00 + number), sha256=f"{number}" * 64, media_type=media_type, size_bytes=1_000 * number
        )
        story.do(proof, SELLER, LISTING_ID)
    story.do(RemoveProof(proof_id=UUID(int=0xF01)), SELLER, LISTING_ID)
    story.do(SubmitListing(), SELLER, LISTING_ID)
    story.do(ApproveListing(), ADMIN, LISTING_ID)
    return story
