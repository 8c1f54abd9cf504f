"""What is for sale can be handed over: a deposit that nothing opens any more leaves its listing before anybody buys."""

import asyncio
from contextlib import suppress
from uuid import UUID

import pytest

from domain.actor import reaction
from domain.command import Command
from domain.listing import Listing, ListingNotForSale
from domain.listing.commands import FollowTransactionEnd, LoseListedDeposit
from domain.policy import Terms
from domain.transaction.commands import CancelTransaction, OpenTransaction
from domain.transaction.phase import Phase
from domain.transaction.records import VaultStatus
from domain.transaction.redeposit import RedepositCredentials
from domain.transaction.system_commands import LoseDeposit
from domain.transaction.vault import Addendum
from domain.vault import DepositStatus, DestroyCredentials, Vault
from eventstore.escrow import Escrow, Request, Result
from eventstore.log import read_stream
from reactions.loss import withdraw_destroyed
from tests.conftest import Database
from tests.reactions.spoiling import lose_key, spoil
from tests.reactions.working import fold, until_rows, working
from tests.reactions.world import RATE, World, run

SYSTEM = reaction("test")


async def replace_deposit(world: World, transaction_id: UUID) -> None:
    """The buyer began anew, and the seller, who can still open what he deposited, deposited something else."""
    await world.do(SYSTEM, transaction_id, LoseDeposit())
    transaction = await world.transaction(transaction_id)
    redeposit = RedepositCredentials(
        transaction_id=transaction_id,
        ciphertext=b"sealed anew",
        commitment_sha256="1" * 64,
        suite="test",
        addendum=Addendum(
            content_sha256="1" * 64,
            template_version="test",
            name_digest="1" * 64,
            buyer_key_fingerprint="1" * 64,
            seller_key_fingerprint=transaction.seller_key_fingerprint or "1" * 64,
        ),
    )
    await world.do(world.as_seller, world.escrow.new_id(), redeposit)


async def call_off(world: World, transaction_id: UUID) -> None:
    for actor in (world.as_buyer, world.as_seller):
        await world.do(actor, transaction_id, CancelTransaction(reason="we both want out"))


async def steps(world: World, listing_id: UUID) -> list[str]:
    """What happened to a listing since it was reserved."""
    names = [event.topic.split(".")[1] for event in await read_stream(world.pool, listing_id)]
    return names[names.index("reserved") + 1 :]


async def buy(world: World, listing_id: UUID) -> UUID:
    transaction_id = world.escrow.new_id()
    await world.do(world.as_buyer, transaction_id, OpenTransaction(listing_id=listing_id, rate=RATE, terms=Terms()))
    return transaction_id


async def replaced_and_called_off(world: World) -> UUID:
    transaction_id = await world.hold()
    await world.sign(transaction_id)
    await replace_deposit(world, transaction_id)
    await call_off(world, transaction_id)
    return transaction_id


def test_what_was_replaced_in_a_sale_that_came_to_nothing_is_not_for_sale(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await replaced_and_called_off(world)
        assert (await world.advance(transaction_id)).phase is Phase.REFUNDED
        listing = await world.listing_of(transaction_id)
        assert await steps(world, listing.id) == ["deposit_lost", "freed"], "it is never for sale in between"
        with pytest.raises(ListingNotForSale):
            await buy(world, listing.id)
        assert "deposit" in listing.allowed_actions(world.as_seller, world.at)
        await world.advance(transaction_id)
        assert await steps(world, listing.id) == ["deposit_lost", "freed"]

    run(database.app_dsn, story)


@pytest.mark.parametrize("last", [DestroyCredentials, LoseListedDeposit, FollowTransactionEnd])
def test_a_worker_that_dies_on_the_way_has_not_put_it_on_sale(
    database: Database, monkeypatch: pytest.MonkeyPatch, last: type[Command[Vault] | Command[Listing]]
) -> None:
    async def story(world: World) -> None:
        transaction_id = await replaced_and_called_off(world)
        with monkeypatch.context() as patch:
            die_after(patch, last)
            with suppress(asyncio.CancelledError):
                await world.advance(transaction_id)
        listing = await world.listing_of(transaction_id)
        with pytest.raises(ListingNotForSale):
            await buy(world, listing.id)
        await world.advance(transaction_id)
        assert await steps(world, listing.id) == ["deposit_lost", "freed"]

    run(database.app_dsn, story)


def die_after(patch: pytest.MonkeyPatch, last: type[object]) -> None:
    """The log has this command, and the worker did not live to see it."""
    execute = Escrow.execute

    async def deadly(self: Escrow, stream_id: UUID, command: Command[Listing], request: Request) -> Result[Listing]:
        result = await execute(self, stream_id, command, request)
        if isinstance(command, last):
            raise asyncio.CancelledError
        return result

    patch.setattr(Escrow, "execute", deadly)


def test_what_its_seller_can_open_still_is_for_sale_at_once(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.sign(transaction_id)
        await world.do(SYSTEM, transaction_id, LoseDeposit())
        await call_off(world, transaction_id)
        await world.advance(transaction_id)
        listing = await world.listing_of(transaction_id)
        assert await steps(world, listing.id) == ["freed"]
        await buy(world, listing.id)

    run(database.app_dsn, story)


def test_a_seller_who_began_anew_after_handing_over_sells_nothing_when_that_is_called_off(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.sign(transaction_id)
        listing = await world.listing_of(transaction_id)
        await lose_key(database, world, listing, world.seller.id)
        await world.advance(transaction_id)
        assert await steps(world, listing.id) == [], "the buyer has it"
        await call_off(world, transaction_id)
        await world.advance(transaction_id)
        assert await steps(world, listing.id) == ["deposit_lost", "freed"]

    run(database.app_dsn, story)


def test_what_was_put_on_sale_without_anything_that_opens_it_is_taken_off(database: Database) -> None:
    async def story(world: World) -> None:
        listings = [await world.list_account() for _ in range(3)]
        for listing_id in listings[:2]:
            await destroy(world, listing_id)
        fold(database)
        spoil(database, listings[0])
        await withdraw_destroyed(world.tools)
        await withdraw_destroyed(world.tools)
        withdrawn = "SELECT stream FROM event_log WHERE type = 'listing.deposit_lost.v1'"
        await until_rows(database, withdrawn, [(listings[1],)])
        await buy(world, listings[2])

    run(database.app_dsn, story)


def test_the_worker_takes_it_off(database: Database) -> None:
    async def story(world: World) -> None:
        listing_id = await world.list_account()
        await destroy(world, listing_id)
        fold(database)
        async with working(world, database.app_dsn):
            await until_rows(database, "SELECT id FROM listings WHERE vault_id IS NULL", [(listing_id,)])

    run(database.app_dsn, story)


def test_a_sale_of_what_was_destroyed_goes_on_when_the_seller_deposits_again(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open()
        listing = await world.listing_of(transaction_id)
        await destroy(world, listing.id)
        await world.pay(transaction_id)
        assert (await world.advance(transaction_id)).vault is VaultStatus.LOST
        await replace_deposit(world, transaction_id)
        await world.confirm(transaction_id)
        assert (await world.advance(transaction_id)).phase is Phase.COMPLETED

    run(database.app_dsn, story)


async def destroy(world: World, listing_id: UUID) -> None:
    vault_id = (await world.escrow.get(Listing, listing_id)).vault_id
    assert vault_id is not None
    await world.do(SYSTEM, vault_id, DestroyCredentials(reason="revealed"))
    assert (await world.escrow.get(Vault, vault_id)).status is DepositStatus.DESTROYED
