"""Grants and answers in the database: who may do what, what is destroyed stays destroyed, and what a dump opens."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import TypeVar
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Identifier

import vault.grant
from database.connect import Connection, Pool, open_pool
from tests.conftest import Database
from tests.vault.client import open_answer
from tests.vault.conftest import PLAINTEXT, Scene, make_id
from tests.waiting import is_blocked_or_over, until
from vault.deposit import SealedDeposit, make_document, seal_document
from vault.grant import (
    Grant,
    GrantGone,
    MaterialDestroyed,
    Purpose,
    destroy_delivery,
    destroy_material,
    get_grant,
    grant_custody,
    hand_over,
    open_grant,
    store_grant,
)
from vault.reveal import Reveal, get_answer, open_credentials, seal_answer, take_repeat
from vault.sealing import SealBroken

T = TypeVar("T")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TABLES = ["pepper_versions", "vault_grants", "reveal_answers", "reveal_repeats", "destroyed_material", "vault_canary"]
PERSONAL = [
    "users",
    "user_passwords",
    "user_keys",
    "sessions",
    "access_tokens",
    "refresh_tokens",
    "email_codes",
    "payout_accounts",
    "totp_secrets",
    "recovery_codes",
    "tries",
    "known_devices",
    "password_resets",
    "user_recovery_keys",
]


@pytest.fixture
def stored(database: Database, scene: Scene) -> Database:
    """The people, both grants and a sealed answer in the database."""
    with psycopg.connect(database.owner_dsn) as connection:
        for person in (scene.seller, scene.buyer, scene.stranger):
            connection.execute(
                "INSERT INTO users (id, email, display_name, legal_name, created_at) VALUES (%s, %s, 'x', 'x', %s)",
                (person.id, f"{person.id}@example.com", NOW),
            )
        connection.execute(
            "INSERT INTO reveal_answers (command_id, transaction_id, deposit_id, user_id, answer, expires_at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (
                b"c" * 32,
                scene.transaction_id,
                scene.deposit.deposit_id,
                scene.buyer.id,
                b"sealed",
                NOW + timedelta(minutes=15),
            ),
        )
    ask(database, lambda connection: store_grant(connection, scene.custody))
    ask(database, lambda connection: store_grant(connection, scene.delivery))
    return database


def ask(database: Database, question: Callable[[Connection], Awaitable[T]]) -> T:
    """Ask as the application."""

    async def within() -> T:
        async with open_pool(database.app_dsn, max_size=2) as pool, pool.connection() as connection:
            return await question(connection)

    return asyncio.run(within())


async def get_delivery(connection: Connection, scene: Scene) -> Grant:
    return await get_grant(
        connection,
        scene.deposit,
        purpose=Purpose.DELIVERY,
        transaction_id=scene.transaction_id,
        user_id=scene.buyer.id,
        fingerprint=scene.buyer.public_key.fingerprint,
    )


async def get_custody(connection: Connection, scene: Scene) -> Grant:
    return await get_grant(
        connection,
        scene.deposit,
        purpose=Purpose.CUSTODY,
        transaction_id=None,
        user_id=scene.seller.id,
        fingerprint=scene.seller.public_key.fingerprint,
    )


def count(database: Database, table: str) -> int:
    with psycopg.connect(database.owner_dsn) as connection:
        row = connection.execute(SQL("SELECT count(*) FROM {}").format(Identifier(table)))
        (number,) = row.fetchone() or (-1,)
    return number


def test_grants_come_back_as_they_were_stored_and_open(stored: Database, scene: Scene):
    delivery = ask(stored, lambda connection: get_delivery(connection, scene))
    custody = ask(stored, lambda connection: get_custody(connection, scene))
    assert (custody, delivery) == (scene.custody, scene.delivery)
    document = open_credentials(delivery, scene.deposit, scene.buyer.private_key)
    assert json.loads(document.content.reveal())["credentials"]["password"] == PLAINTEXT


def test_the_same_grant_again_changes_nothing(stored: Database, scene: Scene):
    again = hand_over(
        scene.custody,
        scene.deposit,
        seller_private_key=scene.seller.private_key,
        transaction_id=scene.transaction_id,
        buyer_id=scene.buyer.id,
        buyer_key=scene.buyer.public_key,
    )
    ask(stored, lambda connection: store_grant(connection, again))
    assert ask(stored, lambda connection: get_delivery(connection, scene)) == scene.delivery


@pytest.mark.parametrize("change", ["user_id", "fingerprint", "transaction_id", "purpose"])
def test_no_grant_is_found_for_anybody_else(stored: Database, scene: Scene, change: str):
    asked: dict[str, UUID | str] = {
        "purpose": Purpose.DELIVERY,
        "transaction_id": scene.transaction_id,
        "user_id": scene.buyer.id,
        "fingerprint": scene.buyer.public_key.fingerprint,
    }
    other: dict[str, UUID | str] = {
        "purpose": Purpose.CUSTODY,
        "transaction_id": make_id(99),
        "user_id": scene.stranger.id,
        "fingerprint": scene.stranger.public_key.fingerprint,
    }
    asked[change] = other[change]
    with pytest.raises(GrantGone):
        ask(stored, lambda connection: get_grant(connection, scene.deposit, **asked))


def test_rows_swapped_in_the_database_do_not_open(stored: Database, scene: Scene):
    with psycopg.connect(stored.owner_dsn) as connection:
        connection.execute(
            "UPDATE vault_grants AS g SET sealed = o.sealed FROM vault_grants AS o WHERE o.purpose <> g.purpose"
        )
    with pytest.raises(SealBroken):
        open_grant(
            ask(stored, lambda connection: get_delivery(connection, scene)), scene.deposit, scene.buyer.private_key
        )
    with pytest.raises(SealBroken):
        open_grant(
            ask(stored, lambda connection: get_custody(connection, scene)), scene.deposit, scene.seller.private_key
        )


def living(database: Database) -> tuple[int, int]:
    """How many grants and answers are left."""
    return count(database, "vault_grants"), count(database, "reveal_answers")


@pytest.mark.guarantee("G11", faults="destroyed twice, and granted again afterwards", runs="1")
def test_destroying_everything_is_final_and_may_be_repeated(stored: Database, scene: Scene):
    for _ in range(2):
        ask(stored, lambda c: destroy_material(c, scene.deposit.deposit_id, scene.transaction_id))
    assert living(stored) == (0, 0)
    for grant in (scene.custody, scene.delivery):
        with pytest.raises(MaterialDestroyed):
            ask(stored, lambda connection, grant=grant: store_grant(connection, grant))
    with pytest.raises(GrantGone):
        ask(stored, lambda connection: get_delivery(connection, scene))


@pytest.mark.guarantee("G11", planted="a destruction that leaves the seller's grant behind")
def test_a_destruction_that_leaves_a_grant_is_found(stored: Database, scene: Scene, monkeypatch: pytest.MonkeyPatch):
    lax = SimpleNamespace(destroy_material=vault.grant.SQL.destroy_delivery)
    monkeypatch.setattr(vault.grant, "SQL", lax)
    ask(stored, lambda c: destroy_material(c, scene.deposit.deposit_id, scene.transaction_id))
    assert living(stored) != (0, 0)


def test_a_deposit_without_a_transaction_is_destroyed_too(stored: Database, scene: Scene):
    ask(stored, lambda connection: destroy_material(connection, scene.deposit.deposit_id, None))
    assert living(stored) == (0, 0)


def test_after_a_refund_the_seller_keeps_his_grant_and_may_sell_again(stored: Database, scene: Scene):
    for _ in range(2):
        ask(stored, lambda c: destroy_delivery(c, scene.deposit.deposit_id, scene.transaction_id))
    assert count(stored, "reveal_answers") == 0
    with pytest.raises(GrantGone):
        ask(stored, lambda connection: get_delivery(connection, scene))
    with pytest.raises(MaterialDestroyed):
        ask(stored, lambda connection: store_grant(connection, scene.delivery))
    custody = ask(stored, lambda connection: get_custody(connection, scene))
    next_buyer = hand_over(
        custody,
        scene.deposit,
        seller_private_key=scene.seller.private_key,
        transaction_id=make_id(13),
        buyer_id=scene.stranger.id,
        buyer_key=scene.stranger.public_key,
    )
    ask(stored, lambda connection: store_grant(connection, next_buyer))
    assert open_grant(next_buyer, scene.deposit, scene.stranger.private_key) == scene.key


def test_destroying_one_deposit_leaves_the_others(stored: Database, scene: Scene):
    other = make_other_deposit(scene)[1]
    ask(stored, lambda connection: store_grant(connection, other))
    ask(stored, lambda connection: destroy_material(connection, scene.deposit.deposit_id, scene.transaction_id))
    assert count(stored, "vault_grants") == 1


def make_other_deposit(scene: Scene) -> tuple[SealedDeposit, Grant]:
    random = Random(3)
    document = make_document({"password": "other"}, random.randbytes)
    deposit, key = seal_document(
        document, listing_id=make_id(10), deposit_id=make_id(88), random_bytes=random.randbytes
    )
    return deposit, grant_custody(key, deposit, seller_id=scene.seller.id, seller_key=scene.seller.public_key)


def test_a_grant_on_its_way_does_not_survive_the_destruction(stored: Database, scene: Scene):
    """Storing and destroying take turns: whichever comes first, nothing is left that opens the deposit."""
    second = replace(scene.delivery, transaction_id=make_id(55))

    async def destroy(pool: Pool) -> None:
        async with pool.connection() as connection:
            await destroy_material(connection, scene.deposit.deposit_id, scene.transaction_id)

    async def race() -> None:
        async with open_pool(stored.app_dsn, max_size=3) as pool:
            async with pool.connection() as connection:
                await store_grant(connection, second)
                destroying = asyncio.create_task(destroy(pool))
                await until(lambda: is_blocked_or_over(pool, destroying))
            await destroying

    asyncio.run(race())
    assert count(stored, "vault_grants") == 0


def test_an_answer_is_found_until_it_expires(stored: Database):
    assert ask(stored, lambda connection: get_answer(connection, b"c" * 32, NOW)) == b"sealed"
    assert ask(stored, lambda connection: get_answer(connection, b"d" * 32, NOW)) is None
    late = NOW + timedelta(minutes=15)
    assert ask(stored, lambda connection: get_answer(connection, b"c" * 32, late)) is None


def test_a_plaintext_answer_is_repeated_once_whoever_asks(stored: Database, scene: Scene):
    reveal = Reveal(
        transaction_id=scene.transaction_id,
        deposit_id=scene.deposit.deposit_id,
        user_id=scene.buyer.id,
        command_id=b"p" * 32,
    )

    async def claim(pool: Pool) -> bool:
        async with pool.connection() as connection:
            return await take_repeat(connection, reveal)

    async def all_at_once() -> list[bool]:
        async with open_pool(stored.app_dsn, max_size=4) as pool:
            return await asyncio.gather(*(claim(pool) for _ in range(10)))

    assert sorted(asyncio.run(all_at_once())) == [False] * 9 + [True]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vault_grants SET sealed = ''",
        "DELETE FROM vault_grants",
        "TRUNCATE vault_grants",
        "INSERT INTO reveal_answers SELECT * FROM reveal_answers",
        "UPDATE reveal_answers SET answer = ''",
        "DELETE FROM reveal_answers",
        "DELETE FROM reveal_repeats",
        "UPDATE reveal_repeats SET taken_at = now()",
        "SELECT FROM destroyed_material",
        "DELETE FROM destroyed_material",
        "UPDATE pepper_versions SET proof = proof",
        "DELETE FROM pepper_versions",
        "UPDATE user_keys SET public_key = ''",
        "UPDATE user_keys SET fingerprint = ''",
        "DELETE FROM user_keys",
        "DELETE FROM users",
        "SELECT lock_vault_deposit(gen_random_uuid())",
        "ALTER TABLE vault_grants DISABLE TRIGGER ALL",
    ],
)
def test_the_application_may_not_do_what_it_does_not_need(database: Database, statement: str):
    with psycopg.connect(database.app_dsn) as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize("table", TABLES + PERSONAL)
def test_the_auditor_sees_neither_people_nor_what_opens_the_vault(database: Database, table: str):
    with psycopg.connect(database.auditor_dsn) as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(SQL("SELECT FROM {}").format(Identifier(table)))


@pytest.mark.parametrize("function", ["destroy_vault_material", "destroy_vault_delivery"])
def test_the_auditor_destroys_nothing(database: Database, function: str):
    query = SQL("SELECT {}(gen_random_uuid(), gen_random_uuid())").format(Identifier(function))
    with psycopg.connect(database.auditor_dsn) as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(query)


def test_the_auditor_may_look_at_who_holds_which_role(database: Database):
    with psycopg.connect(database.auditor_dsn) as connection:
        assert connection.execute("SELECT user_id, role FROM user_roles").fetchall() == []


def test_a_sealed_answer_travels_through_the_table(stored: Database, scene: Scene):
    client = scene.stranger
    reveal = Reveal(
        transaction_id=scene.transaction_id,
        deposit_id=scene.deposit.deposit_id,
        user_id=scene.buyer.id,
        command_id=b"c" * 32,
    )
    sealed = seal_answer(scene.document, reveal, client.public_key.raw)
    with psycopg.connect(stored.owner_dsn) as connection:
        connection.execute("UPDATE reveal_answers SET answer = %s", (sealed,))
    found = ask(stored, lambda connection: get_answer(connection, b"c" * 32, NOW))
    assert found == sealed
    assert open_answer(found, reveal, client.private_key) == scene.document
