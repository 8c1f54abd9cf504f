"""What the platform keeps on record about itself: its books, its people, its settings; ids and contracts."""

import hashlib
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.actor import Role
from domain.canary import CANARY_ID, ObserveCanary, StartCanary
from domain.configuration import CONFIGURATION_ID, ChangeSetting, Setting, SettingOutOfRange, StartConfiguration
from domain.contract import contract_sha256
from domain.errors import Forbidden
from domain.ids import REFERENCE_LENGTH, derive_reference, uuid7
from domain.listing.commands import FollowTransactionEnd, LoseListedDeposit
from domain.money import AmountNotPositive, Currency, CurrencyMismatch, Money
from domain.reason import ReasonTooShort
from domain.restore import SettleExternalPayment
from domain.treasury import MoveFunds, Movement, OpenTreasury, treasury_id
from domain.user import ChangePayoutAccount, ChangeRoles, RegisterUser, RoleNotGrantable
from domain.vault import DestroyCredentials, LoseCredentials
from tests.domain.paths import REASON, discover, pending
from tests.domain.people import ADMIN, AUDITOR, BUYER, SELLER, SELLER_ID, SUPER, SYSTEM
from tests.domain.story import LISTING_ID, TRANSACTION_ID, VAULT_ID, Story

USER = UUID(int=0xE1)
KES = treasury_id(Currency.KES)


def open_books() -> Story:
    story = Story()
    story.start(OpenTreasury(currency=Currency.KES), SYSTEM, KES)
    return story


NOBODY_IN_CHARGE = (BUYER, SELLER, ADMIN, AUDITOR)


def test_books_and_settings_are_opened_by_whoever_is_in_charge():
    for actor in NOBODY_IN_CHARGE:
        for command in (OpenTreasury(currency=Currency.KES), StartConfiguration()):
            with pytest.raises(Forbidden):
                Story().start(command, actor, KES)
    for command in (OpenTreasury(currency=Currency.KES), StartConfiguration()):
        Story().start(command, SUPER, KES)


def test_what_the_program_finds_out_only_the_program_records():
    story = pending()
    for command, stream_id in (
        (LoseCredentials(reason="the seller has reset his password"), VAULT_ID),
        (DestroyCredentials(reason="the sale is over"), VAULT_ID),
        (LoseListedDeposit(vault_id=VAULT_ID), LISTING_ID),
        (FollowTransactionEnd(transaction_id=TRANSACTION_ID, sold=False, shown=False), LISTING_ID),
        (observed(story), CANARY_ID),
    ):
        for actor in (*NOBODY_IN_CHARGE, SUPER):
            story.refuses(Forbidden, command, actor, stream_id)
        assert story.fork().do(command, SYSTEM, stream_id) is not None


def observed(story: Story) -> ObserveCanary:
    story.start(StartCanary(), SYSTEM, CANARY_ID)
    return ObserveCanary(failure="vault_seal_broken")


def test_what_holds_a_sale_back_is_lifted_by_whoever_is_in_charge():
    story = Story()
    found = discover(story)
    for actor in NOBODY_IN_CHARGE:
        story.refuses(Forbidden, SettleExternalPayment(reason=REASON), actor, found)
    story.do(SettleExternalPayment(reason=REASON), SUPER, found)
    assert story.aggregates[found].state == "settled"


def test_only_the_payee_says_where_he_is_paid():
    story = Story()
    story.start(RegisterUser(roles=frozenset({Role.SELLER})), SYSTEM, SELLER_ID)
    named = ChangePayoutAccount(account_sha256="a" * 64, is_first=True, cooling_seconds=0)
    for actor in (BUYER, ADMIN, SUPER, SYSTEM):
        story.refuses(Forbidden, named, actor, SELLER_ID)
    story.do(named, SELLER, SELLER_ID)


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
    story.start(RegisterUser(roles=frozenset({Role.BUYER})), SYSTEM, USER)
    story.refuses(RoleNotGrantable, ChangeRoles(roles=frozenset({Role.BUYER, Role.SYSTEM})), SUPER, USER)


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
