"""The reveal: once, to the buyer, after both signed; and deposits that are lost on the way."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.transaction.commands import AcknowledgeReveal, MissReveal, ReplaceDeposit, TransactionCommand
from domain.transaction.settlement import CancellationAsked
from domain.transaction.state import NothingHeld
from domain.transaction.system_commands import EnforceDeadline, LoseDeposit
from domain.transaction.vault import (
    AlreadyRevealed,
    ContractUnsigned,
    CredentialsUnavailable,
    MissedAlready,
    NotLost,
    NotRevealed,
)
from tests.domain.paths import (
    BUYER_KEY,
    addendum,
    cancel,
    chargeback,
    confirm,
    funded,
    pending,
    refunding,
    releasing,
    reveal,
    revealed,
    sign,
    signed,
)
from tests.domain.people import BUYER, SELLER, SYSTEM
from tests.domain.story import VAULT_ID

ANOTHER_VAULT = UUID(int=0x77)


def replace(key: str = BUYER_KEY) -> ReplaceDeposit:
    return ReplaceDeposit(vault_id=ANOTHER_VAULT, addendum=addendum(key))


def test_nothing_is_revealed_before_both_signed():
    story = funded(pending())
    story.refuses(ContractUnsigned, reveal(), BUYER)
    story.do(sign(BUYER_KEY), SELLER)
    story.refuses(ContractUnsigned, reveal(), BUYER)


def test_it_is_revealed_once():
    story = signed(pending())
    assert story.do(reveal(), BUYER) == ["credentials_revealed"]
    story.refuses(AlreadyRevealed, reveal(), BUYER)
    story.do(AcknowledgeReveal(), BUYER)
    story.refuses(AlreadyRevealed, reveal(), BUYER)


@pytest.mark.parametrize("path", [refunding, releasing])
def test_nothing_is_revealed_after_the_money_moved(path):
    path(story := pending())
    story.refuses(NothingHeld, reveal(), BUYER)


def test_nothing_is_revealed_after_a_chargeback():
    story = signed(pending())
    story.do(chargeback("lost", 1))
    story.refuses(NothingHeld, reveal(), BUYER)


def test_the_inspection_starts_with_the_reveal():
    story = signed(pending())
    story.wait(hours=1).do(reveal(), BUYER)
    assert story.transaction.inspection_ends_at == story.now + timedelta(hours=72)


def test_there_is_nothing_to_acknowledge_or_confirm_before_the_reveal_or_twice():
    story = signed(pending())
    story.refuses(NotRevealed, AcknowledgeReveal(), BUYER)
    story.refuses(NotRevealed, confirm(), BUYER)
    seen = revealed(pending())
    seen.refuses(NotRevealed, AcknowledgeReveal(), BUYER)


def test_a_lost_deposit_is_replaced_and_revealed_once():
    story = signed(pending())
    story.do(LoseDeposit())
    story.ignores(LoseDeposit())
    assert story.transaction.stuck_reason == "awaiting_redeposit"
    story.refuses(CredentialsUnavailable, reveal(), BUYER)
    story.do(replace(), SELLER)
    story.refuses(NotLost, replace(), SELLER)
    assert story.transaction.vault_id == ANOTHER_VAULT
    story.do(reveal(), BUYER)
    story.refuses(AlreadyRevealed, reveal(), BUYER)


def test_a_deposit_lost_after_the_reveal_and_replaced_starts_the_inspection_anew():
    story = signed(pending())
    story.do(reveal(), BUYER)
    story.do(LoseDeposit())
    assert story.phase == "contract_signed"
    story.wait(hours=70).do(replace(), SELLER)
    story.wait(hours=10).do(reveal(), BUYER)
    assert story.transaction.inspection_ends_at == story.now + timedelta(hours=72)


def anew(vault_id: UUID = ANOTHER_VAULT) -> ReplaceDeposit:
    return ReplaceDeposit(vault_id=vault_id, addendum=addendum())


def test_a_reveal_that_was_lost_on_its_way_is_missed_once_and_shown_anew():
    story = signed(pending())
    story.do(reveal(), BUYER)
    assert story.do(MissReveal(), BUYER) == ["reveal_missed", "deposit_lost"]
    story.refuses(NotRevealed, confirm(), BUYER)
    story.refuses(AlreadyRevealed, anew(VAULT_ID), SELLER)
    story.wait(hours=71).do(anew(), SELLER)
    story.do(reveal(), BUYER)
    assert story.transaction.shown_at == story.now
    story.refuses(MissedAlready, MissReveal(), BUYER)
    story.do(AcknowledgeReveal(), BUYER)
    story.refuses(NotRevealed, MissReveal(), BUYER)
    assert story.transaction.superseded_vaults == (VAULT_ID,)


@pytest.mark.parametrize("lost", [MissReveal(), LoseDeposit()])
def test_an_inspection_that_lapsed_before_the_deposit_was_replaced_runs_and_ends_again(lost: TransactionCommand):
    story = signed(pending())
    story.do(reveal(), BUYER)
    assert story.wait(hours=73).do(EnforceDeadline()) == ["inspection_lapsed"]
    story.do(lost, BUYER if isinstance(lost, MissReveal) else SYSTEM)
    story.do(anew(), SELLER)
    story.do(reveal(), BUYER)
    story.do(AcknowledgeReveal(), BUYER)
    assert story.transaction.stuck_reason == "awaiting_confirmation"
    assert "release_ordered" in story.wait(hours=73).do(EnforceDeadline())


def test_a_missed_reveal_that_is_not_made_good_is_refunded_and_nobody_is_paid():
    story = signed(pending())
    story.do(reveal(), BUYER)
    story.do(MissReveal(), BUYER)
    assert story.wait(hours=72).do(EnforceDeadline()) == ["refund_ordered"]


def test_an_addendum_names_the_keys_that_count_from_then_on():
    story = signed(pending())
    story.do(LoseDeposit())
    assert story.do(anew(), SELLER) == ["addendum_signed", "deposit_replaced"]
    found = story.transaction
    assert (found.buyer_key_fingerprint, found.seller_key_fingerprint) == ("new-buyer-key", "new-seller-key")
    assert found.needs_buyer_key("new-buyer-key")
    assert not found.needs_buyer_key(BUYER_KEY)
    story.do(chargeback("lost", 10_000))
    assert not story.transaction.needs_buyer_key("new-buyer-key"), "nothing is revealed any more"


def test_what_nobody_has_seen_can_be_handed_over_again():
    story = signed(pending())
    story.do(LoseDeposit())
    story.do(anew(VAULT_ID), SELLER)
    story.do(reveal(), BUYER)
    assert story.transaction.superseded_vaults == ()


def test_what_was_acknowledged_cannot_be_lost():
    revealed(story := pending())
    story.ignores(LoseDeposit())


def test_nothing_is_replaced_that_is_not_lost():
    signed(story := pending())
    story.refuses(NotLost, replace(), SELLER)


def test_a_lost_deposit_that_nobody_replaces_is_refunded():
    story = signed(pending())
    story.wait(hours=1).do(LoseDeposit())
    assert story.wait(hours=72).do(EnforceDeadline()) == ["refund_ordered"]
    assert story.last("refund_ordered").reason == "redeposit_lapsed"


def test_the_seller_does_not_grant_a_deposit_that_is_lost():
    story = funded(pending())
    story.do(LoseDeposit())
    story.refuses(CredentialsUnavailable, sign(BUYER_KEY), SELLER)
    assert "sign" not in story.actions(SELLER)
    story.do(sign(), BUYER)
    story.do(replace(), SELLER)
    story.do(sign(BUYER_KEY), SELLER)
    story.do(reveal(), BUYER)
    assert story.last("credentials_revealed").vault_id == ANOTHER_VAULT != VAULT_ID


def test_a_replaced_deposit_gives_the_time_to_sign_back():
    story = funded(pending())
    due = story.transaction.signing_due_at
    story.wait(hours=48).do(LoseDeposit())
    story.wait(hours=60).do(replace(), SELLER)
    assert story.transaction.signing_due_at == due + timedelta(hours=60)
    story.do(sign(), BUYER)


def test_nobody_calls_it_off_alone_nor_after_the_reveal():
    story = signed(pending())
    story.do(cancel(), BUYER)
    story.refuses(CancellationAsked, cancel(), BUYER)
    story.do(reveal(), BUYER)
    story.refuses(AlreadyRevealed, cancel(), SELLER)
