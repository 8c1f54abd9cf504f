"""Money that was not asked for goes back to who paid it, in the currency it came in."""

import pytest

from domain.journal import Account
from domain.money import Currency
from domain.transaction.phase import Phase
from domain.transaction.records import RefundStatus
from tests.conftest import Database
from tests.reactions.world import World, run


@pytest.mark.weakness("W8")
@pytest.mark.parametrize("currency", [Currency.NGN, Currency.USD])
def test_money_in_another_currency_is_sent_back_in_that_currency(database: Database, currency: Currency) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open()
        await world.panel.post("/_sim/balance", json={"currency": currency, "amount_minor": 20_000})
        await world.fault("*", "other_amount", amount_minor=100_000, currency=currency)
        await world.pay(transaction_id)
        transaction = await world.advance(transaction_id)
        refund = next(iter(transaction.refunds.values()))
        assert refund.currency is currency
        assert refund.failure is None
        assert refund.status is not RefundStatus.FAILED
        assert await world.moved("refund") == [-100_000]
        assert transaction.phase is Phase.PENDING

    run(database.app_dsn, story)


def test_what_was_paid_beyond_price_and_fee_is_sent_back(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open()
        await world.fault("*", "other_amount", amount_minor=150_000)
        await world.pay(transaction_id)
        transaction = await world.advance(transaction_id)
        assert transaction.phase is Phase.FUNDS_HELD
        assert transaction.balances.get(Account.FEE_SURCHARGE, 0) == 0
        assert [refund.amount_minor for refund in transaction.refunds.values()] == [50_000]

    run(database.app_dsn, story)
