"""Where somebody is paid."""

from dataclasses import replace

import pytest

from database.connect import Pool
from identity.payout_account import (
    PayoutAccount,
    UnfitPayoutAccount,
    find_payout_account,
    list_sharing,
    put_payout_account,
)
from tests.identity.conftest import Desk

ACCOUNT = PayoutAccount(
    type="nuban", bank_code="058", account_number="0123456789", account_name="Amina Otieno", currency="NGN"
)


def test_the_latest_account_stands(desk: Desk):
    async def scenario(pool: Pool) -> None:
        user = await desk.create(pool)
        async with pool.connection() as connection:
            assert await find_payout_account(connection, user.id) is None
            await put_payout_account(connection, user.id, ACCOUNT, desk.at)
            newer = replace(ACCOUNT, account_number="9876543210")
            await put_payout_account(connection, user.id, newer, desk.at)
            assert await find_payout_account(connection, user.id) == newer

    desk.run(scenario)


def test_two_users_with_one_account_are_noticed(desk: Desk):
    async def scenario(pool: Pool) -> None:
        one, other = await desk.create(pool), await desk.create(pool, "other@example.com")
        async with pool.connection() as connection:
            await put_payout_account(connection, one.id, ACCOUNT, desk.at)
            await put_payout_account(connection, other.id, replace(ACCOUNT, account_number="9876543210"), desk.at)
            assert await list_sharing(connection, one.id, ACCOUNT) == ()
            await put_payout_account(connection, other.id, replace(ACCOUNT, account_name="Another"), desk.at)
            assert await list_sharing(connection, one.id, ACCOUNT) == (other.id,)

    desk.run(scenario)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "cheque"},
        {"bank_code": ""},
        {"bank_code": "058; DROP"},
        {"account_number": "1234"},
        {"account_number": "0123 456"},
        {"account_number": "٠١٢٣٤٥٦٧٨٩"},
        {"account_name": " "},
        {"account_name": "a\nb"},
        {"account_name": "x" * 201},
        {"currency": "USD"},
        {"currency": "ngn"},
    ],
)
def test_what_paystack_cannot_pay_is_refused(change: dict[str, str]):
    with pytest.raises(UnfitPayoutAccount):
        replace(ACCOUNT, **change)


def test_repr_shows_no_personal_data():
    assert "0123456789" not in repr(ACCOUNT)
    assert "Amina" not in repr(ACCOUNT)
