"""Payouts go only to the account that the log vouches for, whatever the table of accounts says."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from domain.actor import Actor, Role
from domain.aggregate import Aggregate
from domain.command import Command
from domain.money import Currency
from domain.transaction import Transaction
from domain.transaction.cooling import PayoutAccountUnproven
from domain.transaction.force import RecipientMissing
from domain.transaction.phase import Phase
from domain.transaction.records import PayoutPurpose
from domain.transaction.staff_commands import ForceRelease
from domain.user import ChangePayoutAccount, PayoutAccountChangedUnhashed, RegisterUser, User
from gateways.payment import NewRecipient
from identity.payout_account import PayoutAccount, hash_account, lock_payout_account, put_payout_account
from identity.user import NewUser, create_user
from tests.conftest import Database
from tests.payee import SALT, name_account
from tests.reactions.world import World, run
from tests.registrar import REGISTRAR, bits_of
from tests.waiting import until

HIS = PayoutAccount(
    type="mobile_money", bank_code="MPESA", account_number="0712345678", account_name="seller", currency=Currency.KES
)
UNTIL = "%Y-%m-%dT%H:%M:%SZ"
TAMPER = "UPDATE payout_accounts SET account_number = '0799999999'"
UNSALT = "UPDATE payout_accounts SET salt = NULL"
REPLACE = "UPDATE payout_accounts SET account_number = '0799999999', salt = NULL"


async def write(world: World, statement: str) -> None:
    """Whoever can write the table, and not the log."""
    async with world.pool.connection() as connection:
        await connection.execute(statement)  # type: ignore[arg-type]


async def write_as_owner(database: Database, statement: str) -> None:
    """Whoever erases what a person has asked to be forgotten."""
    async with await psycopg.AsyncConnection.connect(database.owner_dsn, autocommit=True) as connection:
        await connection.execute(statement)  # type: ignore[arg-type]


async def confirmed(world: World) -> Transaction:
    """The buyer is content, and the seller is to be paid."""
    transaction_id = await world.hold()
    await world.confirm(transaction_id)
    return await world.advance(transaction_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameUnhashed(Command[User]):
    """What was recorded before the log had hashes."""

    aggregate_type = User
    usable_at: datetime

    def decide(self, aggregate: User, *related: Aggregate) -> None:
        aggregate.record(PayoutAccountChangedUnhashed, usable_at=self.usable_at, shared_with=(), name_matches=None)


async def told_of(world: World, transaction: Transaction) -> list[str]:
    """The doubts that stand in its history."""
    query = "SELECT data ->> 'doubt' FROM event_log WHERE stream = %s AND type = %s ORDER BY version"
    async with world.pool.connection() as connection:
        cursor = await connection.execute(query, (str(transaction.id), PayoutAccountUnproven.TOPIC))
        return [row[0] for row in await cursor.fetchall()]


async def is_waited_for(world: World) -> bool:
    """Whether somebody asked for the row that another holds."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with world.pool.connection() as connection:
        row = await (await connection.execute(query)).fetchone()
        return row is not None and row[0] > 0


@pytest.mark.guarantee("G20", faults="whoever can write the table of accounts, and not the log", runs="three ways")
@pytest.mark.parametrize(
    ("statement", "doubt"),
    [(TAMPER, "differs"), (UNSALT, "salt_missing"), (REPLACE, "salt_missing")],
    ids=["changed", "without the salt", "both"],
)
def test_nothing_is_paid_to_an_account_that_the_log_does_not_vouch_for(
    database: Database, statement: str, doubt: str
) -> None:
    async def story(world: World) -> None:
        await write(world, statement)
        stuck = await confirmed(world)
        for _ in range(2):
            world.wait(hours=1)
            stuck = await world.advance(stuck.id)
        assert (stuck.stuck_reason, dict(stuck.payouts)) == (f"payout_account_unproven: {doubt}", {})
        assert await told_of(world, stuck) == [doubt], "that it still is in doubt is no news"
        assert await world.moved("transfer") == []

        await name_account(world.escrow, world.pool, world.seller.id, HIS, world.at)
        paid = await world.advance(stuck.id)
        assert (paid.phase, paid.is_flat) == (Phase.COMPLETED, True)
        assert await world.moved("transfer") == [-90_000]

    run(database.app_dsn, story)


@pytest.mark.guarantee("G20", planted="the account is not compared with the log")
def test_the_test_notices_when_the_log_is_not_asked(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(world: World) -> None:
        await write(world, TAMPER)
        assert (await confirmed(world)).phase is Phase.COMPLETED

    monkeypatch.setattr(User, "doubt_account", lambda _self, _sha256: None)
    run(database.app_dsn, story)


def test_an_account_that_nobody_named_is_not_paid(database: Database) -> None:
    async def story(world: World) -> None:
        stranger = await create_user(
            world.pool,
            REGISTRAR,
            NewUser(email="stranger@example.com", display_name="stranger", legal_name="stranger"),
            "correct horse battery",
            at=world.at,
            random_bytes=bits_of("stranger"),
        )
        async with world.pool.connection() as connection:
            await put_payout_account(connection, stranger.id, HIS, world.at)
        world.seller = stranger
        stuck = await confirmed(world)
        assert stuck.stuck_reason == "payout_account_unproven: never_named"
        await world.do(Actor("test", Role.SYSTEM), stranger.id, RegisterUser(roles=frozenset({Role.SELLER})))  # type: ignore[arg-type]
        assert (await world.advance(stuck.id)).stuck_reason == "payout_account_unproven: never_named"
        assert await world.moved("transfer") == []

    run(database.app_dsn, story)


def test_an_account_from_before_the_log_had_hashes_is_still_paid(database: Database) -> None:
    async def story(world: World) -> None:
        await world.do(world.as_seller, world.seller.id, NameUnhashed(usable_at=world.at))  # type: ignore[arg-type]
        await write(world, UNSALT)
        assert (await confirmed(world)).phase is Phase.COMPLETED

    run(database.app_dsn, story)


def test_a_super_admin_can_pay_to_a_recipient_that_he_names_and_to_no_other(database: Database) -> None:
    async def story(world: World) -> None:
        await write(world, TAMPER)
        stuck = await confirmed(world)
        chief = Actor(str(uuid4()), Role.SUPER_ADMIN)
        forced = ForceRelease(reason="his bank confirms the account", recipient=None, limit_usd_cents=10**9)
        with pytest.raises(RecipientMissing):
            await world.do(chief, stuck.id, forced)  # type: ignore[arg-type]
        recipient = NewRecipient(
            type="mobile_money",
            name="seller",
            account_number="0712345678",
            bank_code="MPESA",
            currency=Currency.KES,
        )
        code = (await world.tools.gateway.create_recipient(recipient)).recipient_code
        await world.do(chief, stuck.id, replace(forced, purpose=PayoutPurpose.SELLER, recipient=code))  # type: ignore[arg-type]
        assert (await world.advance(stuck.id)).phase is Phase.COMPLETED
        assert await world.moved("transfer") == [-90_000]

    run(database.app_dsn, story)


def test_a_change_that_is_in_the_log_and_not_yet_in_the_table_is_waited_for(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        elsewhere = replace(HIS, account_number="0722000009")
        named = ChangePayoutAccount(account_sha256=hash_account(SALT, elsewhere), is_first=False, cooling_seconds=0)
        async with world.pool.connection() as connection, connection.transaction():
            await lock_payout_account(connection, world.seller.id)
            await world.do(world.as_seller, world.seller.id, named)  # type: ignore[arg-type]
            paying = asyncio.create_task(world.advance(transaction_id))
            await until(lambda: True if paying.done() else is_waited_for(world))
            await put_payout_account(connection, world.seller.id, elsewhere, world.at, SALT)
        paid = await paying
        assert (paid.phase, await told_of(world, paid)) == (Phase.COMPLETED, [])

    run(database.app_dsn, story)


@pytest.mark.parametrize(
    ("statement", "lacking"),
    [("DELETE FROM payout_accounts", "missing"), ("UPDATE payout_accounts SET currency = 'NGN'", "other_currency")],
)
def test_what_an_account_lacks_that_was_waited_for_takes_the_place_of_the_wait(
    database: Database, statement: str, lacking: str
) -> None:
    async def story(world: World) -> None:
        change = ChangePayoutAccount(account_sha256=hash_account(SALT, HIS), is_first=False, cooling_seconds=86_400)
        await world.do(world.as_seller, world.seller.id, change)  # type: ignore[arg-type]
        stuck = await confirmed(world)
        assert stuck.stuck_reason == f"payout_account_cooling_off: until {world.at + timedelta(days=1):{UNTIL}}"
        await write_as_owner(database, statement)
        world.wait(days=2)
        for _ in range(2):
            stuck = await world.advance(stuck.id)
        assert (stuck.stuck_reason, dict(stuck.payouts)) == (f"payout_account_unproven: {lacking}", {})
        assert await told_of(world, stuck) == [lacking]

        await name_account(world.escrow, world.pool, world.seller.id, HIS, world.at)
        assert (await world.advance(stuck.id)).phase is Phase.COMPLETED

    run(database.app_dsn, story)


def test_who_has_named_no_account_yet_is_in_no_doubt(database: Database) -> None:
    async def story(world: World) -> None:
        await write_as_owner(database, "DELETE FROM payout_accounts")
        stuck = await confirmed(world)
        assert stuck.stuck_reason == "awaiting_payout_request"
        assert await told_of(world, stuck) == []

    run(database.app_dsn, story)
