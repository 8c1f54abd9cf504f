"""Elsewhere a second payment for the same thing is another sale, or kept: here it goes back to who paid it."""

import pytest

from domain.journal import Account
from domain.transaction.phase import Phase
from gateways.errors import GatewayError
from reactions.advance import advance
from tests.conftest import Database
from tests.reactions.world import World, run


async def lose_a_page(world: World, transaction_id: object) -> dict[str, str]:
    """The processor opened a page whose address we were never told; the charge that somebody can pay there."""
    await world.fault("initialize", "500_after_commit")
    with pytest.raises(GatewayError):
        await world.page(transaction_id)  # type: ignore[arg-type]
    (charge,) = (await world.panel.get("/_sim/objects")).json()["charges"]
    return charge


@pytest.mark.weakness("W9")
def test_whoever_pays_on_two_pages_gets_the_second_payment_back(database: Database) -> None:
    async def tell(world: World) -> None:
        transaction_id = await world.open()
        lost = await lose_a_page(world, transaction_id)
        page = await world.pay(transaction_id)
        assert page.reference != lost["reference"]
        assert (await world.advance(transaction_id)).phase is Phase.FUNDS_HELD
        paid = await world.panel.post(f"/checkout/{lost['access_code']}", json={"outcome": "success"})
        assert paid.status_code == 200, paid.text
        for _ in range(2):
            await advance(world.tools, transaction_id, lost["reference"])
        transaction = await world.transaction(transaction_id)
        assert transaction.phase is Phase.FUNDS_HELD
        assert transaction.balances[Account.HELD] == -100_000
        (refund,) = transaction.refunds.values()
        assert refund.charge_reference == lost["reference"]
        assert await world.moved("charge") == [100_000, 100_000]
        assert await world.moved("refund") == [-100_000]

    run(database.app_dsn, tell)
