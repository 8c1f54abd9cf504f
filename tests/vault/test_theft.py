"""What a thief gets: the database with every file of the server, then the pepper too; nothing opens without the rest.

Canaries are planted as password and as credentials, and every key that existed in memory is searched for as well, in
all that PostgreSQL wrote (tables, indexes, write-ahead log, server log), in several spellings.
"""

import asyncio
import base64
import itertools
import logging
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from urllib.parse import quote

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from database.connect import Connection, Pool, open_pool
from identity.keypair import get_key_pair
from identity.password import Password, get_password
from identity.session import Lifetimes, login
from identity.user import NewUser, User, create_user
from tests.canaries import find_secrets, read_what_was_written
from tests.conftest import Database, Server
from tests.vault.conftest import make_id
from vault.deposit import SealedDeposit, make_document, open_deposit, seal_document
from vault.gate import Gate
from vault.grant import Grant, Purpose, get_grant, grant_custody, hand_over, open_grant, store_grant
from vault.keypair import StoredKeyPair, WrongPassword, get_public_key, read_public_key, unwrap_private_key
from vault.locksmith import Locksmith
from vault.password import FLOOR, PasswordCosts, derive_keys, get_cost, is_verified
from vault.pepper import Pepper, prepare_pepper
from vault.reveal import Reveal, open_credentials, seal_answer
from vault.sealing import SealBroken
from vault.secret import Secret

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
COSTS = PasswordCosts(stretch=FLOOR, verifier=FLOOR)
SELLER_PASSWORD, BUYER_PASSWORD = "canary-of-the-seller", "canary-of-the-buyer"
CREDENTIAL = "canary-account-passwörd/+&"
LISTING, DEPOSIT, TRANSACTION = make_id(10), make_id(11), make_id(12)


@dataclass
class Deal:
    """A deposit that was granted to a buyer and revealed, with all that existed in memory on the way."""

    database: Database
    pepper: Pepper
    seller: User
    buyer: User
    deposit: SealedDeposit
    secrets: list[bytes]


@dataclass
class Actors:
    """Who and what is needed to make a deal."""

    pool: Pool
    locksmith: Locksmith
    random: Random

    async def create(self, name: str, password: str) -> User:
        new = NewUser(email=f"{name}@example.com", display_name=name, legal_name=name)
        return await create_user(self.pool, self.locksmith, new, password, at=NOW, random_bytes=self.random.randbytes)

    async def open_key(self, user: User, password: str) -> Secret:
        async with self.pool.connection() as connection:
            stored, pair = await get_password(connection, user.id), await get_key_pair(connection, user.id)
        return await self.locksmith.open_private_key(password, stored, pair)


async def make_deal(database: Database, pepper_file: Path) -> Deal:
    random, gate = Random(11), Gate()
    async with open_pool(database.app_dsn, max_size=2) as pool:
        async with pool.connection() as connection:
            pepper = await prepare_pepper(connection, pepper_file, random.randbytes)
        locksmith = Locksmith(pepper=pepper, gate=gate, costs=COSTS, random_bytes=random.randbytes)
        actors = Actors(pool, locksmith, random)
        seller = await actors.create("seller", SELLER_PASSWORD)
        buyer = await actors.create("buyer", BUYER_PASSWORD)
        await login(
            pool,
            locksmith,
            "buyer@example.com",
            BUYER_PASSWORD,
            at=NOW,
            random_bytes=random.randbytes,
            lifetimes=Lifetimes(),
        )
        document = make_document({"password": CREDENTIAL}, random.randbytes)
        deposit, key = seal_document(document, listing_id=LISTING, deposit_id=DEPOSIT, random_bytes=random.randbytes)
        seller_key, buyer_key = (
            await actors.open_key(seller, SELLER_PASSWORD),
            await actors.open_key(buyer, BUYER_PASSWORD),
        )
        async with pool.connection() as connection:
            await trade(connection, deposit, key, seller, seller_key, buyer)
            answer = await reveal(connection, deposit, buyer, buyer_key)
            unlock_keys = [
                derive_keys(password, (await get_password(connection, user.id)).salt, FLOOR)
                for user, password in ((seller, SELLER_PASSWORD), (buyer, BUYER_PASSWORD))
            ]
    gate.close()
    store_ciphertext_and_answer(database, deposit, answer)
    keys = [key, seller_key, buyer_key, pepper.get_key(1), *(k.auth_key for k in unlock_keys)]
    keys += [k.unlock_key for k in unlock_keys]
    words = [SELLER_PASSWORD.encode(), BUYER_PASSWORD.encode(), CREDENTIAL.encode(), document.content.reveal()]
    return Deal(database, pepper, seller, buyer, deposit, [*words, *(key.reveal() for key in keys)])


async def trade(
    connection: Connection, deposit: SealedDeposit, key: Secret, seller: User, seller_key: Secret, buyer: User
) -> None:
    seller_public = read_public_key(await get_key_pair(connection, seller.id))
    await store_grant(connection, grant_custody(key, deposit, seller_id=seller.id, seller_key=seller_public))
    custody = await get_grant(
        connection,
        deposit,
        purpose=Purpose.CUSTODY,
        transaction_id=None,
        user_id=seller.id,
        fingerprint=seller_public.fingerprint,
    )
    delivery = hand_over(
        custody,
        deposit,
        seller_private_key=seller_key,
        transaction_id=TRANSACTION,
        buyer_id=buyer.id,
        buyer_key=read_public_key(await get_key_pair(connection, buyer.id)),
    )
    await store_grant(connection, delivery)


async def find_delivery(connection: Connection, deposit: SealedDeposit, buyer: User) -> Grant:
    public_key = read_public_key(await get_key_pair(connection, buyer.id))
    return await get_grant(
        connection,
        deposit,
        purpose=Purpose.DELIVERY,
        transaction_id=TRANSACTION,
        user_id=buyer.id,
        fingerprint=public_key.fingerprint,
    )


async def reveal(connection: Connection, deposit: SealedDeposit, buyer: User, buyer_key: Secret) -> bytes:
    document = open_credentials(await find_delivery(connection, deposit, buyer), deposit, buyer_key)
    client_key = derive_keys("the browser", bytes(16), FLOOR).unlock_key
    showing = Reveal(transaction_id=TRANSACTION, deposit_id=DEPOSIT, user_id=buyer.id, command_id=b"c" * 32)
    return seal_answer(document, showing, get_public_key(client_key).raw)


def store_ciphertext_and_answer(database: Database, deposit: SealedDeposit, answer: bytes) -> None:
    """What the log and its append function store."""
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute(
            "INSERT INTO reveal_answers (command_id, transaction_id, deposit_id, user_id, answer, expires_at)"
            " VALUES (%s, %s, %s, %s, %s, now())",
            (b"c" * 32, TRANSACTION, DEPOSIT, make_id(2), answer),
        )
        connection.execute("CREATE TABLE ciphertexts AS SELECT %s::bytea AS ciphertext", (deposit.ciphertext,))
        connection.execute("CREATE INDEX ON user_keys (wrapped_private_key)")


@pytest.fixture
def deal(database: Database, tmp_path: Path) -> Deal:
    return asyncio.run(make_deal(database, tmp_path / "pepper"))


@dataclass
class Loot:
    """Everything in the stolen database that could open something, or be opened."""

    passwords: list[Password]
    pairs: list[StoredKeyPair]
    grants: list[Grant]
    blobs: list[bytes]


def steal(deal: Deal) -> Loot:
    async def read() -> tuple[list[Password], list[StoredKeyPair]]:
        async with open_pool(deal.database.app_dsn, max_size=1) as pool, pool.connection() as connection:
            users = (deal.seller.id, deal.buyer.id)
            return (
                [await get_password(connection, user) for user in users],
                [await get_key_pair(connection, user) for user in users],
            )

    passwords, pairs = asyncio.run(read())
    with psycopg.connect(deal.database.owner_dsn, row_factory=dict_row) as connection:
        rows = connection.execute("SELECT * FROM vault_grants").fetchall()
        grants = [Grant(**{name: row[name] for name in Grant.__slots__}) for row in rows]
        tables = connection.execute("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'").fetchall()
        everything = [SQL("SELECT * FROM {}").format(Identifier(table["tablename"])) for table in tables]
        values = [value for query in everything for row in connection.execute(query) for value in row.values()]
    blobs = [value for value in values if isinstance(value, bytes)]
    return Loot(passwords, pairs, grants, blobs)


def guess_keys(loot: Loot) -> list[Secret]:
    """Every 32 bytes that stand anywhere in a stolen blob."""
    found = {blob[i : i + 32] for blob in loot.blobs for i in range(max(0, len(blob) - 31))}
    return [Secret(value) for value in found]


@pytest.mark.weakness("W30")
@pytest.mark.guarantee("G10", faults="a stolen database and a password", runs="1")
def test_dump_and_password_without_the_pepper_open_nothing(deal: Deal):
    """Even who knows the password gets no further than the outer layer."""
    loot = steal(deal)
    for stored, pair, password in zip(loot.passwords, loot.pairs, (SELLER_PASSWORD, BUYER_PASSWORD), strict=True):
        keys = derive_keys(password, stored.salt, get_cost(stored))
        assert is_verified(keys.auth_key, stored.verifier)
        for pepper in (*guess_keys(loot), keys.unlock_key, keys.auth_key, Secret(bytes(32))):
            with pytest.raises(SealBroken):
                unwrap_private_key(pair, unlock_key=keys.unlock_key, pepper=Pepper({1: pepper}))


@pytest.mark.guarantee("G10", faults="a stolen database and the pepper", runs="1")
def test_dump_and_pepper_without_a_password_open_nothing(deal: Deal):
    loot = steal(deal)
    for pair, guess in itertools.product(loot.pairs, [*guess_keys(loot), deal.pepper.get_key(1)]):
        with pytest.raises(WrongPassword):
            unwrap_private_key(pair, unlock_key=guess, pepper=deal.pepper)


def test_nothing_in_the_dump_is_a_key_to_anything_in_it(deal: Deal):
    loot = steal(deal)
    for guess in [*guess_keys(loot), deal.pepper.get_key(1)]:
        with pytest.raises(SealBroken):
            open_deposit(deal.deposit, guess)
        for grant in loot.grants:
            with pytest.raises(SealBroken):
                open_grant(grant, deal.deposit, guess)


@pytest.mark.weakness("W30")
@pytest.mark.guarantee("G11", faults="database, pepper and passwords stolen afterwards", runs="1")
def test_after_destruction_password_pepper_and_dump_together_open_nothing(deal: Deal):
    with psycopg.connect(deal.database.app_dsn) as connection:
        connection.execute("SELECT destroy_vault_material(%s, %s)", (DEPOSIT, TRANSACTION))
    loot = steal(deal)
    assert loot.grants == []
    candidates = guess_keys(loot)
    for stored, pair, password in zip(loot.passwords, loot.pairs, (SELLER_PASSWORD, BUYER_PASSWORD), strict=True):
        keys = derive_keys(password, stored.salt, get_cost(stored))
        candidates.append(unwrap_private_key(pair, unlock_key=keys.unlock_key, pepper=deal.pepper))
        candidates += [keys.unlock_key, keys.auth_key]
    for candidate in candidates:
        with pytest.raises(SealBroken):
            open_deposit(deal.deposit, candidate)


def test_the_whole_chain_opens_with_password_and_pepper(deal: Deal):
    """The tests above would also pass if nothing ever opened."""
    loot = steal(deal)
    stored, pair = loot.passwords[1], loot.pairs[1]
    keys = derive_keys(BUYER_PASSWORD, stored.salt, get_cost(stored))
    private_key = unwrap_private_key(pair, unlock_key=keys.unlock_key, pepper=deal.pepper)
    (delivery,) = [grant for grant in loot.grants if grant.purpose == Purpose.DELIVERY]
    assert CREDENTIAL in open_credentials(delivery, deal.deposit, private_key).content.reveal().decode()
    with pytest.raises(SealBroken):
        open_credentials(replace(delivery, user_id=deal.seller.id), deal.deposit, private_key)


@pytest.mark.weakness("W31")
def test_no_canary_and_no_key_stands_in_anything_postgresql_wrote(
    server: Server, database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    started = time.time() - 1
    with caplog.at_level(logging.DEBUG):
        deal = asyncio.run(make_deal(database, tmp_path / "pepper"))
    with psycopg.connect(database.superuser_dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE planted AS SELECT 'canary-of-the-search'::text AS word")
        connection.execute("CHECKPOINT")
    contents = read_what_was_written(server.facts.root, started)
    assert find_secrets([b"canary-of-the-search"], contents), "the search itself finds nothing"
    assert any("pg_wal" in path.parts for path in contents)
    assert find_secrets(deal.secrets, contents) == []
    assert find_secrets(deal.secrets, {"log": caplog.text.encode()}) == []


def test_the_search_knows_every_spelling():
    """A checker must be seen to fail."""
    secret = "canary-of-the-spelling/+é".encode()
    forms = [secret, secret.hex().encode(), quote(secret).encode(), secret.decode("latin-1").encode("utf-16-le")]
    forms += [base64.b64encode(b"x" * n + secret + b"y" * m) for n in range(3) for m in range(3)]
    forms += [base64.urlsafe_b64encode(b"x" * n + secret) for n in range(3)]
    assert len(find_secrets([secret], dict(enumerate(forms)))) == len(forms)
