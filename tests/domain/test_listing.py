"""A listing: drafted, deposited for, vetted, reserved for one sale at a time, and never sold twice."""

from uuid import UUID

import pytest

from domain.errors import Forbidden, NotFound
from domain.listing import CredentialsMissing, ListingNotEditable
from domain.listing.commands import (
    ApproveListing,
    AttachProof,
    DepositCredentials,
    DraftListing,
    FollowTransactionEnd,
    LoseListedDeposit,
    RejectListing,
    RemoveListing,
    RemoveProof,
    RequestInfo,
    ReviseListing,
    SubmitListing,
)
from domain.listing.proof import MOST_PROOFS, TooManyProofs
from domain.listing.sale import ListingNotForSale
from domain.listing.vetting import ListingNotDecidable
from domain.money import AmountNotPositive, Currency, Money
from domain.reason import ReasonTooShort
from domain.transaction.records import Finding
from domain.vault import DestroyCredentials, LoseCredentials
from tests.domain.paths import REASON, chargeback, completed, disputed, opening, pending, resolve, returned, revealed
from tests.domain.people import (
    ADMIN,
    AUDITOR,
    BUYER,
    BUYER_ID,
    OTHER_SELLER,
    SELLER,
    SELLER_ID,
    STRANGER,
    SUPER,
    SYSTEM,
)
from tests.domain.story import LISTING_ID, TRANSACTION_ID, VAULT_ID, Story

SELLER_AS_STAFF = type(ADMIN)(str(SELLER_ID), ADMIN.role)
REVISION = ReviseListing(price=Money(5, Currency.KES), content_id=UUID(int=9), content_sha256="9" * 64)


def draft(price_minor: int = 1) -> DraftListing:
    return DraftListing(
        seller_id=SELLER_ID, price=Money(price_minor, Currency.KES), content_id=UUID(int=1), content_sha256="a" * 64
    )


def deposit() -> DepositCredentials:
    return DepositCredentials(
        listing_id=LISTING_ID, ciphertext=b"x", commitment_sha256="c", suite="s", seller_key_fingerprint="f"
    )


def drafted() -> Story:
    story = Story()
    story.start(draft(), SELLER, LISTING_ID)
    return story


def test_only_a_seller_drafts_and_only_for_himself():
    for actor in (BUYER, ADMIN, OTHER_SELLER, SYSTEM):
        with pytest.raises(Forbidden):
            Story().start(draft(), actor, LISTING_ID)


def test_nothing_is_sold_for_nothing():
    with pytest.raises(AmountNotPositive):
        Story().start(draft(0), SELLER, LISTING_ID)


def test_it_is_submitted_once_the_credentials_are_deposited():
    story = drafted()
    story.refuses(CredentialsMissing, SubmitListing(), SELLER, LISTING_ID)
    assert "submit" not in story.listing.allowed_actions(SELLER, story.now)
    story.start(deposit(), SELLER, VAULT_ID)
    assert "submit" in story.listing.allowed_actions(SELLER, story.now)
    story.do(SubmitListing(), SELLER, LISTING_ID)
    story.refuses(ListingNotEditable, SubmitListing(), SELLER, LISTING_ID)


def test_a_draft_is_nobodys_business():
    story = drafted()
    for actor in (STRANGER, OTHER_SELLER):
        story.refuses(NotFound, REVISION, actor, LISTING_ID)
        story.refuses(NotFound, ApproveListing(), actor, LISTING_ID)
        with pytest.raises(NotFound):
            story.start(deposit(), actor, VAULT_ID)
    story.refuses(Forbidden, REVISION, ADMIN, LISTING_ID)


def test_what_is_offered_stays_as_it_was_vetted():
    story = Story().offer()
    story.refuses(ListingNotEditable, REVISION, SELLER, LISTING_ID)
    with pytest.raises(ListingNotEditable):
        story.start(deposit(), SELLER, UUID(int=0x23))


def test_rejected_it_can_be_revised_and_submitted_again():
    story = Story().draft()
    story.refuses(ReasonTooShort, RejectListing(reason="no"), ADMIN, LISTING_ID)
    story.do(RejectListing(reason=REASON), ADMIN, LISTING_ID)
    story.do(REVISION, SELLER, LISTING_ID)
    assert story.listing.price.amount_minor == 5
    story.do(SubmitListing(), SELLER, LISTING_ID)
    story.do(ApproveListing(), ADMIN, LISTING_ID)
    story.refuses(ListingNotDecidable, ApproveListing(), ADMIN, LISTING_ID)


def test_asked_for_more_the_seller_answers_by_submitting_again():
    story = Story().draft()
    story.refuses(ReasonTooShort, RequestInfo(reason="no"), ADMIN, LISTING_ID)
    story.do(RequestInfo(reason=REASON), ADMIN, LISTING_ID)
    assert (story.listing.state, story.listing.reason) == ("info_requested", REASON)
    story.refuses(ListingNotDecidable, ApproveListing(), ADMIN, LISTING_ID)
    story.refuses(ListingNotDecidable, RequestInfo(reason=REASON), ADMIN, LISTING_ID)
    assert "submit" in story.listing.allowed_actions(SELLER, story.now)
    story.do(REVISION, SELLER, LISTING_ID)
    story.do(SubmitListing(), SELLER, LISTING_ID)
    assert story.listing.reason is None
    story.do(RequestInfo(reason=REASON), ADMIN, LISTING_ID)
    story.do(SubmitListing(), SELLER, LISTING_ID)
    story.do(ApproveListing(), ADMIN, LISTING_ID)


def test_what_staff_ask_is_between_them_and_the_seller():
    story = Story().draft()
    story.do(RequestInfo(reason=REASON), ADMIN, LISTING_ID)
    assert story.listing.may_know_reason(SELLER)
    assert story.listing.may_know_reason(ADMIN)
    assert not story.listing.may_see(BUYER)
    assert not story.listing.may_know_reason(BUYER)


def proof(number: int) -> AttachProof:
    return AttachProof(
        proof_id=UUID(int=number), sha256=f"{number:064x}", media_type="image/png", size_bytes=number * 1_000
    )


def test_the_same_proof_twice_is_one_and_there_is_room_for_twenty():
    story = drafted()
    for number in (*range(1, MOST_PROOFS + 1), 1):
        story.do(proof(number), SELLER, LISTING_ID)
    assert len(story.listing.proofs) == MOST_PROOFS
    story.refuses(TooManyProofs, proof(99), SELLER, LISTING_ID)
    story.do(RemoveProof(proof_id=UUID(int=1)), SELLER, LISTING_ID)
    story.refuses(NotFound, RemoveProof(proof_id=UUID(int=1)), SELLER, LISTING_ID)
    story.do(proof(99), SELLER, LISTING_ID)


def test_proofs_stay_as_they_were_vetted():
    story = drafted()
    story.do(proof(1), SELLER, LISTING_ID)
    for actor, refusal in ((STRANGER, NotFound), (ADMIN, Forbidden)):
        story.refuses(refusal, proof(2), actor, LISTING_ID)
        story.refuses(refusal, RemoveProof(proof_id=UUID(int=1)), actor, LISTING_ID)
    story.start(deposit(), SELLER, VAULT_ID)
    story.do(SubmitListing(), SELLER, LISTING_ID)
    story.refuses(ListingNotEditable, proof(2), SELLER, LISTING_ID)
    story.refuses(ListingNotEditable, RemoveProof(proof_id=UUID(int=1)), SELLER, LISTING_ID)


def test_proofs_are_for_the_seller_staff_and_the_buyer_who_has_the_listing():
    listing = pending().listing
    for actor in (SELLER, ADMIN, SUPER, BUYER):
        listing.check_proofs(actor, BUYER_ID)
    for actor, buyer_id in ((STRANGER, BUYER_ID), (BUYER, None), (AUDITOR, BUYER_ID)):
        with pytest.raises(Forbidden):
            listing.check_proofs(actor, buyer_id)
    with pytest.raises(NotFound):
        drafted().listing.check_proofs(STRANGER, None)


def test_nobody_vets_his_own():
    story = Story().draft()
    story.refuses(Forbidden, RequestInfo(reason=REASON), SELLER_AS_STAFF, LISTING_ID)
    story.refuses(Forbidden, ApproveListing(), SELLER_AS_STAFF, LISTING_ID)
    story.refuses(Forbidden, ApproveListing(), SELLER, LISTING_ID)


def test_a_sale_that_came_to_nothing_frees_it():
    story = pending()
    story.do(FollowTransactionEnd(transaction_id=TRANSACTION_ID, sold=False, shown=False), SYSTEM, LISTING_ID)
    assert story.listing.state == "approved"


@pytest.mark.weakness("W23")
def test_a_refunded_listing_is_bought_again():
    story = returned(pending())
    story.do(FollowTransactionEnd(transaction_id=TRANSACTION_ID, sold=False, shown=False), SYSTEM, LISTING_ID)
    story.start(opening(), STRANGER, UUID(int=0x99))
    assert (story.listing.state, story.listing.transaction_id) == ("reserved", UUID(int=0x99))


def test_an_echo_or_another_transaction_changes_nothing():
    story = pending()
    other = FollowTransactionEnd(transaction_id=LISTING_ID, sold=True, shown=True)
    assert story.do(other, SYSTEM, LISTING_ID) == []
    story.do(FollowTransactionEnd(transaction_id=TRANSACTION_ID, sold=False, shown=False), SYSTEM, LISTING_ID)
    before = len(story.events)
    story.do(FollowTransactionEnd(transaction_id=TRANSACTION_ID, sold=True, shown=True), SYSTEM, LISTING_ID)
    assert len(story.events) == before


def test_what_one_buyer_has_seen_is_never_sold_to_another():
    story = returned(pending())
    story.do(FollowTransactionEnd(transaction_id=TRANSACTION_ID, sold=False, shown=True), SYSTEM, LISTING_ID)
    assert story.listing.state == "removed"


def test_why_it_is_removed_is_true_also_when_a_bank_took_the_money_back():
    story = revealed(pending())
    story.do(chargeback("lost"))
    story.do(FollowTransactionEnd(transaction_id=TRANSACTION_ID, sold=False, shown=True), SYSTEM, LISTING_ID)
    assert story.last("removed").reason == "the credentials were shown to a buyer whose money went back"


def test_sold_it_is_never_for_sale_again():
    story = completed(pending())
    story.do(FollowTransactionEnd(transaction_id=TRANSACTION_ID, sold=True, shown=True), SYSTEM, LISTING_ID)
    story.refuses(ListingNotEditable, RemoveListing(reason=REASON), ADMIN, LISTING_ID)
    with pytest.raises(ListingNotForSale):
        story.start(opening(), STRANGER, UUID(int=0x99))


def test_a_seller_at_fault_loses_the_listing_once_and_an_end_does_not_bring_it_back():
    story = disputed(pending())
    story.do(RemoveListing(reason=REASON), ADMIN, LISTING_ID)
    story.do(resolve(story, Finding.SELLER), SUPER)
    removals = [event for event in story.events if event.TOPIC == "listing.removed.v1"]
    assert len(removals) == 1
    story.do(FollowTransactionEnd(transaction_id=TRANSACTION_ID, sold=False, shown=False), SYSTEM, LISTING_ID)
    assert story.listing.state == "removed"
    for command, actor in ((ApproveListing(), ADMIN), (RequestInfo(reason=REASON), SUPER)):
        story.refuses(ListingNotDecidable, command, actor, LISTING_ID)
    for command in (REVISION, SubmitListing()):
        story.refuses(ListingNotEditable, command, SELLER, LISTING_ID)
    with pytest.raises(NotFound):
        story.start(opening(), STRANGER, UUID(int=0x99))


def test_a_deposit_is_destroyed_or_lost_once_by_the_program_alone():
    story = Story().draft()
    for actor in (SELLER, ADMIN, SUPER):
        story.refuses(Forbidden, DestroyCredentials(reason="x"), actor, VAULT_ID)
    story.do(LoseCredentials(reason="password reset"), SYSTEM, VAULT_ID)
    story.do(LoseCredentials(reason="password reset"), SYSTEM, VAULT_ID)
    story.do(DestroyCredentials(reason="removed"), SYSTEM, VAULT_ID)
    story.do(DestroyCredentials(reason="removed"), SYSTEM, VAULT_ID)
    topics = [event.TOPIC for event in story.events if event.originator_id == VAULT_ID]
    assert topics == ["vault.credentials_sealed.v1", "vault.credentials_lost.v1", "vault.credentials_destroyed.v1"]


def approved() -> Story:
    story = Story().draft()
    story.do(ApproveListing(), ADMIN, LISTING_ID)
    return story


def test_a_listing_without_its_deposit_is_not_for_sale_until_there_is_another():
    story = approved()
    with pytest.raises(ListingNotEditable):
        story.start(deposit(), SELLER, UUID(int=0x78))
    story.do(LoseListedDeposit(vault_id=VAULT_ID), SYSTEM, LISTING_ID)
    with pytest.raises(ListingNotForSale):
        story.start(opening(), STRANGER, UUID(int=0x99))
    assert "deposit" in story.listing.allowed_actions(SELLER, story.now)
    story.start(deposit(), SELLER, UUID(int=0x78))
    assert (story.listing.state, story.listing.vault_id) == ("approved", UUID(int=0x78))
    assert "deposit" not in story.listing.allowed_actions(SELLER, story.now)


def test_a_loss_is_recorded_once_by_the_program_alone_and_only_of_what_is_offered():
    story = approved()
    for actor in (SELLER, ADMIN, SUPER):
        story.refuses(Forbidden, LoseListedDeposit(vault_id=VAULT_ID), actor, LISTING_ID)
    assert story.do(LoseListedDeposit(vault_id=UUID(int=0x78)), SYSTEM, LISTING_ID) == []
    story.do(LoseListedDeposit(vault_id=VAULT_ID), SYSTEM, LISTING_ID)
    assert story.do(LoseListedDeposit(vault_id=VAULT_ID), SYSTEM, LISTING_ID) == []
