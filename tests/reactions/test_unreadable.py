"""A transaction that cannot be read holds up nobody else, whatever road the worker comes by."""

from uuid import UUID

import psycopg

from domain.listing import Listing
from domain.policy import Terms
from domain.transaction.phase import Phase
from domain.vault import DepositStatus, Vault
from reactions.loss import record_losses
from reactions.vault import destroy_ended, reconcile_vault
from tests.conftest import Database
from tests.reactions.spoiling import lose_key, spoil
from tests.reactions.street import Street, tell
from tests.reactions.working import fold, read
from tests.reactions.world import World
from vault.grant import Grant, store_grant


def test_late_money_of_the_others_is_found(database: Database) -> None:
    async def story(street: Street) -> None:
        world = street.world
        sales = [await world.open(Terms(payment_seconds=3_600)) for _ in range(2)]
        pages = [await world.page(transaction_id) for transaction_id in sales]
        await street.pass_time(hours=1)
        for transaction_id in sales:
            assert (await world.advance(transaction_id)).phase is Phase.EXPIRED
        for page in pages:
            await world.panel.post(page.authorization_url, json={"outcome": "success"})
        spoil(database, sales[0])
        await street.worker.sweep()
        await street.worker.sweep()
        assert await world.moved("refund") == [-100_000]

    tell(database.app_dsn, story)


def test_chargebacks_of_the_others_are_found(database: Database) -> None:
    async def story(street: Street) -> None:
        sales = [await street.world.hold() for _ in range(2)]
        for transaction_id in sales:
            await street.dispute(transaction_id)
        spoil(database, sales[0])
        await street.worker.poll_chargebacks()
        assert (await street.world.transaction(sales[1])).has_open_dispute
        looked = "SELECT count(*) FROM reaction_checkpoints WHERE name = 'chargebacks'"
        assert read(database, looked) == [(0,)], "the look is complete only when all of it is recorded"

    tell(database.app_dsn, story)


def test_keys_that_a_restore_brought_back_are_destroyed_for_the_others(database: Database) -> None:
    async def story(street: Street) -> None:
        world = street.world
        sales = [await world.open(Terms(payment_seconds=3_600)) for _ in range(2)]
        await street.pass_time(hours=1)
        for transaction_id in sales:
            assert (await world.advance(transaction_id)).phase is Phase.EXPIRED
            await bring_back(database, world, transaction_id, "delivery")
        spoil(database, sales[0])
        assert await reconcile_vault(world.escrow, world.pool) == (0, 1)
        assert read(database, "SELECT transaction_id FROM vault_grants") == [(sales[0],)]

    tell(database.app_dsn, story)


def test_keys_to_what_others_have_sold_are_destroyed(database: Database) -> None:
    async def story(street: Street) -> None:
        world = street.world
        sales = [await world.hold() for _ in range(2)]
        for transaction_id in sales:
            await world.confirm(transaction_id)
            assert (await world.advance(transaction_id)).phase is Phase.COMPLETED
            await bring_back(database, world, transaction_id, "custody")
        vaults = [(await world.transaction(transaction_id)).vault_id for transaction_id in sales]
        fold(database)
        spoil(database, sales[0])
        await destroy_ended(world.tools)
        assert read(database, "SELECT deposit_id FROM vault_grants") == [(vaults[0],)]

    tell(database.app_dsn, story)


def test_a_key_of_a_deposit_that_was_never_recorded_is_destroyed_and_holds_up_no_other(database: Database) -> None:
    """Its process died between the grant and the event."""

    async def story(street: Street) -> None:
        world = street.world
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        assert (await world.advance(transaction_id)).phase is Phase.COMPLETED
        await bring_back(database, world, transaction_id, "custody")
        with psycopg.connect(database.superuser_dsn) as connection:
            connection.execute("UPDATE vault_grants SET deposit_id = gen_random_uuid()")
        await bring_back(database, world, transaction_id, "custody")
        fold(database)
        assert read(database, "SELECT count(*) FROM vault_grants") == [(2,)]
        await destroy_ended(world.tools)
        assert read(database, "SELECT count(*) FROM vault_grants") == [(0,)]

    tell(database.app_dsn, story)


def test_keys_that_wait_keep_no_other_loss_from_being_recorded(database: Database) -> None:
    async def story(street: Street) -> None:
        world = street.world
        spoilt, listing = [await world.escrow.get(Listing, await world.list_account()) for _ in range(2)]
        await lose_key(database, world, listing, world.seller.id)
        wait_for_a_deposit(database, spoilt, 100)
        spoil(database, spoilt.vault_id)
        await record_losses(world.tools)
        assert (await world.escrow.get(Vault, listing.vault_id)).status is DepositStatus.LOST

    tell(database.app_dsn, story)


def wait_for_a_deposit(database: Database, listing: Listing, number: int) -> None:
    """So many others have retired a key to it; by their ids they come before and after everybody."""
    with psycopg.connect(database.superuser_dsn) as connection:
        connection.execute(
            """
            WITH people AS (
                INSERT INTO users (id, email, display_name, legal_name, created_at)
                SELECT id, id || '@example.com', 'x', 'x', now() - interval '1 year'
                FROM (
                    SELECT (CASE WHEN n %% 2 = 0 THEN '00000000' ELSE 'ffffffff' END
                            || substr(gen_random_uuid()::text, 9))::uuid AS id
                    FROM generate_series(1, %(number)s * 2) AS n
                ) AS made
                RETURNING id
            ), keys AS (
                INSERT INTO user_keys (
                    user_id, key_version, suite, public_key, fingerprint, key_commitment, pepper_version,
                    wrapped_private_key, created_at, retired_at
                )
                SELECT id, 1, 'test', 'x', md5(id::text) || md5(id::text), sha256('x'), 1, 'x',
                    now() - interval '1 year', now() - interval '1 year'
                FROM people
                RETURNING user_id, fingerprint
            )
            INSERT INTO vault_grants (
                purpose, listing_id, deposit_id, deposit_version, user_id, suite, fingerprint, sealed
            )
            SELECT 'custody', %(listing_id)s, %(vault_id)s, 1, user_id, 'test', fingerprint, 'x' FROM keys
            """,
            {"number": number, "listing_id": listing.id, "vault_id": listing.vault_id},
        )


def test_what_was_lost_with_the_passwords_of_others_is_recorded(database: Database) -> None:
    async def story(street: Street) -> None:
        world = street.world
        listings = [await world.escrow.get(Listing, await world.list_account()) for _ in range(2)]
        vaults = [listing.vault_id for listing in listings]
        for listing, user_id in zip(listings, (world.buyer.id, world.seller.id), strict=True):
            await lose_key(database, world, listing, user_id)
            await street.pass_time(seconds=1)
        spoil(database, vaults[0])
        await record_losses(world.tools)
        assert (await world.escrow.get(Vault, vaults[1])).status is DepositStatus.LOST
        recorded = "SELECT user_id FROM user_keys WHERE losses_recorded_at IS NOT NULL"
        assert read(database, recorded) == [(world.seller.id,)]

    tell(database.app_dsn, story)


async def bring_back(database: Database, world: World, transaction_id: UUID, purpose: str) -> None:
    """A key to the deposit of a sale that was destroyed comes back with a backup that knows nothing of it."""
    with psycopg.connect(database.superuser_dsn) as connection:
        connection.execute("TRUNCATE destroyed_material")
    transaction = await world.transaction(transaction_id)
    is_delivery = purpose == "delivery"
    row = Grant(
        purpose=purpose,
        transaction_id=transaction_id if is_delivery else None,
        listing_id=transaction.listing_id,
        deposit_id=transaction.vault_id,
        deposit_version=1,
        user_id=transaction.buyer_id if is_delivery else transaction.seller_id,
        suite="test",
        fingerprint="0" * 64,
        sealed=b"sealed",
    )
    async with world.pool.connection() as connection:
        await store_grant(connection, row)
