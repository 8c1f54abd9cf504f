"""What a release by force pays is said when it is asked for, and never found out when it is carried out."""

from datetime import timedelta

import pytest

from domain.errors import EscrowError
from domain.transaction import Transaction
from domain.transaction.approval import ApprovalVoid
from domain.transaction.force import PurposeMissing
from domain.transaction.payout import NothingPayable
from domain.transaction.records import PayoutPurpose
from domain.transaction.staff_commands import GrantApproval
from domain.transaction.system_commands import DistrustAccount, WaitForAccount
from domain.user import AccountDoubt
from eventstore.fork import fork
from tests.domain.golden_files import GOLDEN, events_of
from tests.domain.paths import disputed, payout_failed, pending, refund, refunded, release
from tests.domain.people import SECOND, SUPER
from tests.domain.story import TRANSACTION_ID, Story, fold

TO_BUYER = release("RCP_buyer", PayoutPurpose.REFUND)
ASK_TO_PAY_BUYER = release("RCP_buyer", PayoutPurpose.REFUND, limit=0)


def part_failed() -> Story:
    """A part went back, and the processor failed that refund; the rest is held."""
    story = disputed(pending())
    story.do(refund(30_000), SUPER)
    story.do(refunded(story.refund(), "failed"))
    return story


def in_doubt() -> Story:
    """The same, and the log does not vouch for the buyer's account."""
    story = part_failed()
    story.do(distrust(PayoutPurpose.REFUND))
    return story


def distrust(purpose: PayoutPurpose) -> DistrustAccount:
    return DistrustAccount(purpose=purpose, doubt=AccountDoubt.DIFFERS)


def name_again(story: Story) -> list[str]:
    """The buyer names his account again, and the transaction hears of it."""
    return story.do(WaitForAccount(purpose=PayoutPurpose.REFUND, usable_at=story.now + timedelta(hours=24)))


def approve(story: Story) -> GrantApproval:
    return GrantApproval(approval_id=story.approval())


def test_what_was_asked_for_the_buyer_never_goes_to_the_seller():
    story = in_doubt()
    assert story.do(ASK_TO_PAY_BUYER, SUPER) == ["approval_requested"]
    name_again(story)
    story.refuses(ApprovalVoid, approve(story), SECOND)
    assert "approve" not in story.actions(SECOND)
    assert story.transaction.held_minor == 70_000


def test_what_was_asked_for_the_seller_never_goes_to_the_buyer():
    story = part_failed()
    assert story.do(release(limit=0), SUPER) == ["approval_requested"]
    story.do(distrust(PayoutPurpose.REFUND))
    assert "release_ordered" in story.do(approve(story), SECOND)
    assert story.last("release_ordered").amount_minor == 70_000
    assert not story.transaction.payouts


def test_the_request_says_whose_payout_it_is_and_to_whom():
    story = in_doubt()
    story.do(ASK_TO_PAY_BUYER, SUPER)
    request = story.transaction.approvals[story.approval()]
    assert (request.purpose, request.recipient, request.amount_minor) == (PayoutPurpose.REFUND, "RCP_buyer", 30_000)
    assert "payout_requested" in story.do(approve(story), SECOND)
    again = payout_failed(pending())
    again.do(release(limit=0), SUPER)
    request = again.transaction.approvals[again.approval()]
    assert (request.purpose, request.recipient) == (PayoutPurpose.SELLER, "RCP_seller"), "where the last one went"


def test_a_doubt_about_the_account_voids_a_request_to_pay_to_it():
    story = payout_failed(pending())
    story.do(release(limit=0), SUPER)
    story.do(distrust(PayoutPurpose.SELLER))
    story.refuses(ApprovalVoid, approve(story), SECOND)


def test_a_payout_that_is_due_no_more_is_refused_and_nothing_else_paid():
    story = in_doubt()
    name_again(story)
    story.refuses(NothingPayable, TO_BUYER, SUPER)


def test_the_same_order_twice_pays_once():
    story = in_doubt()
    assert "payout_requested" in story.do(TO_BUYER, SUPER)
    story.refuses(NothingPayable, TO_BUYER, SUPER)
    assert story.transaction.held_minor == 70_000


@pytest.mark.parametrize("path", [part_failed, in_doubt])
def test_a_recipient_is_somebodys(path):
    path().refuses(PurposeMissing, release("RCP_buyer"), SUPER)


def test_where_more_than_one_thing_is_due_it_has_to_be_said_which():
    story = in_doubt()
    refusal: EscrowError = story.refuses(PurposeMissing, release(), SUPER)
    assert refusal.facts == {"due": ["refund"], "held_minor": 70_000}
    assert "release" in story.actions(SUPER)


def test_a_request_that_did_not_say_what_it_pays_is_void():
    recorded = events_of(GOLDEN / "judged.jsonl")
    asked = max(at for at, event in enumerate(recorded) if event.TOPIC == "transaction.approval_requested.v1")
    transaction = fork(fold(recorded[: asked + 1], TRANSACTION_ID))
    assert isinstance(transaction, Transaction)
    (request,) = transaction.pending_approvals
    with transaction.acting(Story()._context(SECOND)), pytest.raises(ApprovalVoid):
        transaction.grant_approval(request.approval_id)
