"""What the account of one payee waits for holds up neither the other's money nor anything else of the transaction."""

import psycopg
import pytest

from domain.actor import Actor, Role
from domain.money import Currency
from domain.transaction.phase import Phase
from domain.transaction.records import PayoutPurpose
from domain.user import ChangePayoutAccount
from domain.vault import DepositStatus, Vault
from identity.payout_account import PayoutAccount, hash_account, put_payout_account
from projections.alert import list_alerts
from tests.conftest import Database
from tests.payee import SALT, name_account
from tests.reactions.awards import DIVIDED, award
from tests.reactions.working import fold
from tests.reactions.world import World, run

OTHER = PayoutAccount(
    type="mobile_money", bank_code="MPESA", account_number="0799999999", account_name="seller", currency=Currency.KES
)


async def cool(world: World, _database: Database) -> None:
    """The seller changes his account, and has to wait for it."""
    change = ChangePayoutAccount(account_sha256=hash_account(SALT, OTHER), is_first=False, cooling_seconds=10 * 86_400)
    await world.escrow.execute(world.seller.id, change, world.request(Actor(str(world.seller.id), Role.SELLER)))
    async with world.pool.connection() as connection:
        await put_payout_account(connection, world.seller.id, OTHER, world.at, SALT)


def write(database: Database, statement: str, world: World) -> None:
    with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
        connection.execute(statement, (world.seller.id,))  # type: ignore[arg-type]


async def tamper(world: World, database: Database) -> None:
    write(database, "UPDATE payout_accounts SET account_number = '0799999999' WHERE user_id = %s", world)


async def have_none(world: World, database: Database) -> None:
    write(database, "DELETE FROM payout_accounts WHERE user_id = %s", world)


async def refuse(world: World, _database: Database) -> None:
    """The processor takes no recipient for the seller."""
    await world.fault("recipient", "refuse", times=50, match={"name": "seller"})


@pytest.mark.parametrize("hinder", [cool, tamper, have_none, refuse])
def test_the_buyer_gets_his_share_although_the_seller_cannot_be_paid(database: Database, hinder) -> None:
    async def story(world: World) -> None:
        await world.top_up(500_000)
        transaction_id = await award(world, DIVIDED)
        await hinder(world, database)
        await world.fault("refund", "refuse")
        transaction = await world.advance(transaction_id)
        assert await world.moved("transfer") == [-10_000]
        assert transaction.payable_minor(PayoutPurpose.SELLER) == 85_000

    run(database.app_dsn, story)


def test_a_recipient_that_is_refused_is_told_once_and_holds_up_nothing_else(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.release()
        await world.fault("recipient", "refuse", times=3)
        for _ in range(3):
            transaction = await world.advance(transaction_id)
            world.wait(minutes=1)
        assert transaction.stuck_reason == "payout_account_unproven: refused"
        assert (await world.escrow.get(Vault, transaction.vault_id)).status is DepositStatus.DESTROYED
        fold(database)
        (alert,) = await list_alerts(world.pool, kind="payout_account_unproven")
        assert (alert.severity, alert.detail) == ("P0", "refused")

        assert (await world.advance(transaction_id)).phase is Phase.COMPLETED
        assert await world.moved("transfer") == [-90_000]

    run(database.app_dsn, story)


def test_what_is_the_matter_with_the_account_now_replaces_what_was_before(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.release()
        await tamper(world, database)
        assert (await world.advance(transaction_id)).stuck_reason == "payout_account_unproven: differs"
        await name_account(world.escrow, world.pool, world.seller.id, OTHER, world.at)
        await world.fault("recipient", "refuse", times=50, match={"name": "seller"})
        assert (await world.advance(transaction_id)).stuck_reason == "payout_account_unproven: refused"

    run(database.app_dsn, story)
