"""Opening a transaction, and ending one that nobody has paid."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.errors import Forbidden, Invalid, NotFound
from domain.listing.sale import ListingNotForSale
from domain.money import Currency, Money
from domain.policy import Terms, TermsInvalid
from domain.transaction.opening import AlreadyEnded, MoneyReceived, NotDueYet, SelfDealing, UsdRate
from domain.transaction.system_commands import EnforceDeadline
from tests.domain.paths import asked, cancel, completed, funded, opening, pending
from tests.domain.people import ADMIN, AUDITOR, BUYER, OTHER_SELLER, SELLER, STRANGER, SYSTEM
from tests.domain.story import LISTING_ID, RATE, Story

ANOTHER = UUID(int=0x99)


def test_opening_reserves_the_listing_in_the_same_append():
    story = Story().offer()
    story.open()
    assert story.listing.state == "reserved"
    assert [event.TOPIC for event in story.events[-2:]] == ["listing.reserved.v1", "transaction.opened.v1"]


def test_the_dollar_amount_is_the_price_at_the_recorded_rate():
    assert pending().transaction.amount_usd_cents == 1_000


def test_a_reserved_listing_is_not_for_sale():
    story = pending()
    with pytest.raises(ListingNotForSale):
        story.start(opening(), STRANGER, ANOTHER)


def test_a_seller_cannot_buy_his_own_listing_in_any_role():
    story = Story().offer()
    with pytest.raises(SelfDealing):
        story.start(opening(), SELLER, ANOTHER)


def test_another_seller_can_buy():
    Story().offer().start(opening(), OTHER_SELLER, ANOTHER)


@pytest.mark.parametrize("actor", [ADMIN, AUDITOR, SYSTEM])
def test_staff_and_the_program_do_not_buy(actor):
    story = Story().offer()
    with pytest.raises(Forbidden):
        story.start(opening(), actor, ANOTHER)


def test_a_listing_that_was_never_approved_does_not_exist_for_a_buyer():
    story = Story()
    story.offer()
    listing = story.aggregates[LISTING_ID]
    listing.status = type(listing.status).SUBMITTED
    with pytest.raises(NotFound):
        story.start(opening(), BUYER, ANOTHER)


@pytest.mark.parametrize("text", ["", "0", "0.0", "-1", "1e3", "1.2.3", "٣", "NaN", " 1"])
def test_a_rate_is_a_positive_decimal(text: str):
    with pytest.raises(Invalid):
        UsdRate(currency=Currency.KES, units_per_usd=text, on="2026-01-05")


def test_a_rate_is_of_the_currency_of_the_price():
    with pytest.raises(Invalid):
        RATE.usd_cents(Money(1, Currency.NGN))


def test_either_party_cancels_while_nothing_is_paid():
    for actor in (BUYER, SELLER):
        story = asked(pending())
        assert story.do(cancel(), actor) == ["cancelled"]
        assert story.phase == "cancelled"


def test_nobody_cancels_twice():
    story = asked(pending())
    story.do(cancel(), BUYER)
    story.refuses(AlreadyEnded, cancel(), BUYER)
    story.refuses(AlreadyEnded, cancel(), SELLER)


def test_nobody_cancels_what_was_paid_out():
    completed(story := pending())
    story.refuses(MoneyReceived, cancel(), BUYER)


def test_it_expires_at_the_deadline_and_not_a_microsecond_before():
    story = asked(pending())
    due = story.transaction.payment_due_at
    assert due - story.now == timedelta(hours=24)
    refusal = story.wait_until(due - timedelta(microseconds=1)).refuses(NotDueYet, EnforceDeadline())
    assert refusal.facts["possible_at"] == due.isoformat()
    assert story.wait_until(due).do(EnforceDeadline()) == ["expired"]
    story.refuses(NotDueYet, EnforceDeadline())


def test_it_does_not_expire_once_it_is_paid():
    story = funded(pending())
    story.wait(hours=25)
    story.refuses(NotDueYet, EnforceDeadline())


PERIODS = ("payment_seconds", "signing_seconds", "reveal_seconds", "inspection_seconds", "warranty_seconds")


@pytest.mark.parametrize("period", PERIODS)
def test_a_sale_is_opened_with_periods_that_its_contract_can_state(period: str):
    story = Story(terms=Terms(**{period: 5_400})).offer()
    with pytest.raises(TermsInvalid):
        story.open()
    assert story.listing.state == "approved"
