"""Stories of listings and of those who sell, for the golden log."""

from datetime import timedelta
from uuid import UUID

from domain.actor import Role
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
from domain.transaction.records import PayoutPurpose
from domain.transaction.system_commands import DistrustAccount, WaitForAccount
from domain.user import AccountDoubt, ChangePayoutAccount, RegisterUser
from tests.domain import paths
from tests.domain.paths import REASON, pending
from tests.domain.people import ADMIN, BUYER_ID, SELLER, SELLER_ID, SYSTEM
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


def _account(
    digit: str, *, is_first: bool = False, shared_with: tuple[UUID, ...] = (), name_matches: bool
) -> ChangePayoutAccount:
    return ChangePayoutAccount(
        account_sha256=digit * 64,
        is_first=is_first,
        cooling_seconds=86_400,
        shared_with=shared_with,
        name_matches=name_matches,
    )


def hashed() -> Story:
    """A seller changes his payout account, and the log has a hash of it."""
    story = Story()
    story.start(RegisterUser(roles=frozenset({Role.SELLER})), SYSTEM, SELLER_ID)
    story.do(_account("1", is_first=True, name_matches=True), SELLER, SELLER_ID)
    story.do(_account("2", shared_with=(BUYER_ID,), name_matches=False), SELLER, SELLER_ID)
    return story


def cooled() -> Story:
    """A seller changes his payout account twice, and his payout waits until it may be used."""
    story = paths.releasing(pending())
    story.start(RegisterUser(roles=frozenset({Role.SELLER})), SYSTEM, SELLER_ID)
    story.do(_account("1", is_first=True, name_matches=True), SELLER, SELLER_ID)
    changed = _account("2", shared_with=(BUYER_ID,), name_matches=False)
    story.do(changed, SELLER, SELLER_ID)
    story.do(WaitForAccount(purpose=PayoutPurpose.SELLER, usable_at=story.now + timedelta(days=1)))
    story.wait(days=1).do(paths.pay_out())
    return story


def unproven() -> Story:
    """A payout waits because the seller's account is not the one that he named, until he names it again."""
    story = paths.releasing(pending())
    story.start(RegisterUser(roles=frozenset({Role.SELLER})), SYSTEM, SELLER_ID)
    story.do(_account("1", is_first=True, name_matches=True), SELLER, SELLER_ID)
    story.do(DistrustAccount(purpose=PayoutPurpose.SELLER, doubt=AccountDoubt.DIFFERS))
    story.do(_account("2", name_matches=True), SELLER, SELLER_ID)
    story.do(WaitForAccount(purpose=PayoutPurpose.SELLER, usable_at=story.now + timedelta(days=1)))
    story.wait(days=1).do(paths.pay_out())
    return story
