"""Money, shares and journals: whole numbers, one currency at a time, balanced or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import EscrowError
from domain.journal import Account, Posting, UnbalancedJournal, check_balanced, credit, debit, journal
from domain.listing import require_price
from domain.money import (
    MAX_AMOUNT_MINOR,
    AmountOutOfRange,
    Currency,
    CurrencyUnsupported,
    Money,
    parse_charged_currency,
    parse_currency,
    share,
)
from domain.policy import Terms
from tests.domain.paths import confirm, pending, revealed
from tests.domain.people import BUYER

AMOUNTS = st.integers(0, MAX_AMOUNT_MINOR)


@pytest.mark.weakness("W7")
@pytest.mark.parametrize("amount", [-1, MAX_AMOUNT_MINOR + 1, True, 1.0, "1", None])
def test_money_is_a_whole_number_in_range(amount: object):
    with pytest.raises(AmountOutOfRange):
        Money(amount, Currency.KES)


@pytest.mark.parametrize("code", ["USD", "kes", "", "KES ", "EUR"])
def test_other_currencies_are_refused(code: str):
    with pytest.raises(CurrencyUnsupported):
        parse_currency(code)


def test_us_dollars_may_come_but_nothing_is_priced_in_them():
    assert parse_charged_currency("USD") is Currency.USD
    with pytest.raises(CurrencyUnsupported):
        require_price(Money(100, Currency.USD))


@given(AMOUNTS, st.integers(0, 10_000))
def test_a_share_is_rounded_down_and_never_more_than_the_whole(amount: int, basis_points: int):
    part = share(amount, basis_points)
    assert 0 <= part <= amount
    assert part * 10_000 <= amount * basis_points < (part + 1) * 10_000


@given(AMOUNTS, st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 10_000))
def test_fee_tax_and_reserve_never_exceed_what_is_released(amount: int, fee: int, tax: int, reserve: int):
    try:
        terms = Terms(fee_bps=fee, tax_bps=tax, reserve_bps=reserve)
    except EscrowError:
        return
    parts = (terms.fee_minor(amount), terms.tax_minor(amount), terms.reserve_minor(amount))
    assert min(parts) >= 0
    assert sum(parts) <= amount


def test_a_journal_drops_lines_of_nothing():
    lines = journal(debit(Account.HELD, 5), credit(Account.BALANCE, 5), debit(Account.BANK, 0))
    assert lines == (Posting(Account.HELD, "", 5), Posting(Account.BALANCE, "", -5))


@pytest.mark.parametrize(
    "lines",
    [
        [debit(Account.HELD, 1)],
        [debit(Account.HELD, 2), credit(Account.BALANCE, 1)],
        [debit(Account.HELD, 1.0), credit(Account.BALANCE, 1.0)],
        [debit(Account.HELD, True), credit(Account.BALANCE, True)],
        [debit(Account.HELD, MAX_AMOUNT_MINOR + 1), credit(Account.BALANCE, MAX_AMOUNT_MINOR + 1)],
    ],
)
def test_a_journal_refuses_to_exist_unbalanced(lines: list[Posting]):
    with pytest.raises(UnbalancedJournal):
        check_balanced(lines)
    with pytest.raises(UnbalancedJournal):
        journal(*lines)


@pytest.mark.weakness("W7")
@pytest.mark.parametrize("price", [1, 2, 3, 7, 9, 10, 11, 19, 99, 101, 999, 10**15])
@pytest.mark.parametrize("fee_bps", [0, 1, 333, 1_000, 9_999, 10_000])
def test_the_remainder_of_every_release_is_the_sellers(price: int, fee_bps: int):
    story = revealed(pending(price, Terms(fee_bps=fee_bps), checked=False))
    story.do(confirm(), BUYER)
    released = story.last("release_ordered")
    assert released.platform_fee_minor == price * fee_bps // 10_000
    assert released.to_seller_minor == price - released.platform_fee_minor
