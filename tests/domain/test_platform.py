"""What the platform keeps on record about itself: its books, its people, its settings; ids and contracts."""

import hashlib
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.actor import Role
from domain.configuration import CONFIGURATION_ID, ChangeSetting, Setting, SettingOutOfRange, StartConfiguration
from domain.contract import contract_sha256
from domain.errors import Forbidden
from domain.ids import REFERENCE_LENGTH, derive_reference, uuid7
from domain.money import AmountNotPositive, Currency, CurrencyMismatch, Money
from domain.reason import ReasonTooShort
from domain.treasury import MoveFunds, Movement, OpenTreasury, treasury_id
from domain.user import ChangeRoles, RegisterUser, RoleNotGrantable
from tests.domain.paths import REASON
from tests.domain.people import ADMIN, AUDITOR, BUYER, SELLER, SUPER, SYSTEM
from tests.domain.story import Story

USER = UUID(int=0xE1)
KES = treasury_id(Currency.KES)


def open_books() -> Story:
    story = Story()
    story.start(OpenTreasury(currency=Currency.KES), SYSTEM, KES)
    return story


def move(amount: int = 5) -> MoveFunds:
    return MoveFunds(movement=Movement.BALANCE_TOPPED_UP, amount=Money(amount, Currency.KES), evidence="statement 1")


def test_a_movement_is_recorded_by_the_super_admin_or_reconciliation():
    for actor in (SUPER, SYSTEM):
        story = open_books()
        story.do(move(), actor, KES)
        assert story.books.totals["KES"] == {"paystack:balance": 5, "bank:operating": -5}


def test_nobody_else_moves_money_and_nothing_is_not_moved():
    story = open_books()
    for actor in (BUYER, SELLER, ADMIN, AUDITOR):
        story.refuses(Forbidden, move(), actor, KES)
    story.refuses(AmountNotPositive, move(0), SUPER, KES)


@pytest.mark.weakness("W7")
def test_money_is_moved_in_the_books_of_its_own_currency():
    story = open_books()
    other = MoveFunds(movement=Movement.CAPITAL_PAID_IN, amount=Money(5, Currency.NGN), evidence="statement 1")
    story.refuses(CurrencyMismatch, other, SUPER, KES)


def test_roles_are_granted_and_revoked_by_a_super_admin():
    story = Story()
    story.start(RegisterUser(roles=frozenset({Role.BUYER})), SYSTEM, USER)
    story.refuses(Forbidden, ChangeRoles(roles=frozenset({Role.SUPER_ADMIN})), ADMIN, USER)
    story.do(ChangeRoles(roles=frozenset({Role.SELLER, Role.BUYER})), SUPER, USER)
    assert story.aggregates[USER].state == "buyer,seller"
    story.do(ChangeRoles(roles=frozenset({Role.SELLER})), SUPER, USER)
    assert story.aggregates[USER].state == "seller"
    before = len(story.events)
    story.do(ChangeRoles(roles=frozenset({Role.SELLER})), SUPER, USER)
    assert len(story.events) == before


def test_nobody_is_given_the_role_of_the_program():
    story = Story()
    with pytest.raises(RoleNotGrantable):
        story.start(RegisterUser(roles=frozenset({Role.SYSTEM})), SYSTEM, USER)


def test_money_settings_have_bounds_reasons_and_a_super_admin():
    story = Story()
    story.start(StartConfiguration(), SYSTEM, CONFIGURATION_ID)
    change = ChangeSetting(setting=Setting.FEE_BPS, value=900, reason=REASON)
    story.refuses(Forbidden, change, ADMIN, CONFIGURATION_ID)
    for setting, value in ((Setting.FEE_BPS, 10_001), (Setting.FEE_BPS, -1), (Setting.BREAK_GLASS, 2)):
        wrong = ChangeSetting(setting=setting, value=value, reason=REASON)
        story.refuses(SettingOutOfRange, wrong, SUPER, CONFIGURATION_ID)
    short = ChangeSetting(setting=Setting.FEE_BPS, value=1, reason="x")
    story.refuses(ReasonTooShort, short, SUPER, CONFIGURATION_ID)
    story.do(change, SUPER, CONFIGURATION_ID)
    before = len(story.events)
    story.do(change, SUPER, CONFIGURATION_ID)
    assert len(story.events) == before


def test_a_reference_is_derived_and_differs_by_purpose_and_attempt():
    one = derive_reference("po", USER, "seller", 1)
    assert one == derive_reference("po", USER, "seller", 1)
    others = {derive_reference("po", USER, "refund", 1), derive_reference("po", USER, "seller", 2)}
    assert len(others | {one, derive_reference("po", KES, "seller", 1)}) == 4
    assert len(one) == REFERENCE_LENGTH + 3
    assert set(one) <= set("abcdefghijklmnopqrstuvwxyz234567-")


def test_ids_sort_by_their_time_and_say_that_they_are_version_7():
    early = uuid7(datetime(2026, 1, 1, tzinfo=UTC), lambda n: b"\xff" * n)
    late = uuid7(datetime(2026, 1, 1, 0, 0, 0, 1_000, tzinfo=UTC), lambda n: b"\x00" * n)
    assert early < late
    assert early.version == late.version == 7
    assert early.variant == late.variant


def test_the_hash_of_a_contract_is_that_of_its_bytes():
    assert contract_sha256(b"text") == hashlib.sha256(b"text").hexdigest()
