"""The contract: generated once, signed by each party once, over the same bytes."""

from datetime import timedelta

import pytest

from domain.transaction.contract import AlreadySigned, ContractDiffers, ContractMissing, GrantMissing
from domain.transaction.state import NothingHeld
from tests.domain.paths import BUYER_KEY, asked, cancel, charge, contract, funded, pending, refunding, sign, signed
from tests.domain.people import BUYER, SELLER


def test_nothing_is_generated_or_signed_before_the_money_is_held():
    story = asked(pending())
    story.refuses(NothingHeld, contract())
    story.refuses(NothingHeld, sign(), BUYER)


def test_nothing_is_signed_before_it_is_generated():
    story = asked(pending())
    story.do(charge(story))
    story.refuses(ContractMissing, sign(), BUYER)
    assert story.transaction.stuck_reason == "awaiting_contract"


def test_it_is_generated_once():
    funded(story := pending())
    story.ignores(contract())


@pytest.mark.parametrize("first", [BUYER, SELLER])
def test_either_signs_first_and_the_second_starts_the_clock_of_the_reveal(first):
    story = funded(pending())
    second = SELLER if first is BUYER else BUYER
    story.do(sign(BUYER_KEY), first)
    assert story.phase == "funds_held"
    assert story.transaction.reveal_due_at is None
    story.wait(hours=5).do(sign(BUYER_KEY), second)
    assert story.phase == "contract_signed"
    assert story.transaction.reveal_due_at == story.now + timedelta(hours=72)


def test_why_it_is_stuck_names_who_has_not_signed():
    story = funded(pending())
    assert story.transaction.stuck_reason == "awaiting_signatures"
    story.do(sign(), BUYER)
    assert story.transaction.stuck_reason == "awaiting_seller_signature"


def test_nobody_signs_twice():
    story = funded(pending())
    story.do(sign(), BUYER)
    story.refuses(AlreadySigned, sign(), BUYER)


def test_another_text_is_not_signed():
    story = funded(pending())
    story.refuses(ContractDiffers, sign(sha256="0" * 64), BUYER)


@pytest.mark.parametrize("fingerprint", [None, "another-key", ""])
def test_the_sellers_signature_hands_the_key_to_the_buyer_and_to_nobody_else(fingerprint):
    story = funded(pending())
    story.refuses(GrantMissing, sign(fingerprint), SELLER)
    assert story.do(sign(BUYER_KEY), SELLER) == ["contract_signed", "credentials_granted"]


def test_nothing_is_signed_after_a_refund():
    story = refunding(pending())
    story.refuses(NothingHeld, sign(), BUYER)


def test_together_they_call_it_off_before_the_reveal():
    story = signed(pending())
    assert story.do(cancel(), BUYER) == ["cancellation_requested"]
    assert story.do(cancel(), SELLER) == ["cancellation_requested", "refund_ordered"]
    assert story.last("refund_ordered").basis == "mutual"
    assert story.phase == "refunding"
