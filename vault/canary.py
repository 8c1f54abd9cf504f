"""The canary: a deposit that belongs to nobody, opened every minute to see that the vault would open.

It takes the way of every deposit: pepper, private key, grant, ciphertext, commitment. What unlocks its key stands in
clear beside it, as nothing hangs on it.
"""

from dataclasses import dataclass, field
from uuid import UUID

from psycopg.rows import class_row

from database.connect import Connection
from database.queries import load
from domain.ids import RandomBytes
from vault.deposit import SUITE, SealedDeposit, make_document, open_deposit, seal_document
from vault.grant import Grant, Purpose, grant_custody, open_grant
from vault.keypair import generate_private_key, get_public_key, unwrap_private_key, wrap_private_key
from vault.pepper import Pepper
from vault.sealing import KEY_BYTES
from vault.secret import Secret

SQL = load("vault", "canary.sql")
NOBODY = UUID("00000000-0000-7000-8000-000000000000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """The row of `vault_canary`."""

    user_id: UUID
    key_version: int
    suite: str
    public_key: bytes
    key_commitment: bytes = field(repr=False)
    pepper_version: int
    wrapped_private_key: bytes = field(repr=False)
    unlock_key: bytes = field(repr=False)
    listing_id: UUID
    deposit_id: UUID
    ciphertext: bytes
    commitment: bytes
    fingerprint: str
    sealed: bytes


async def open_canary(connection: Connection, pepper: Pepper, random_bytes: RandomBytes) -> None:
    """Open it, after making it the first time.

    Raises SealBroken, WrongPassword or PepperVersionUnknown: then nobody's credentials would open either.
    """
    canary = await _find(connection)
    if canary is None:
        await _make(connection, pepper, random_bytes)
        canary = await _find(connection)
    assert canary is not None
    _open(canary, pepper)


def _open(canary: Canary, pepper: Pepper) -> None:
    private_key = unwrap_private_key(canary, unlock_key=Secret(canary.unlock_key), pepper=pepper)
    deposit = SealedDeposit(
        listing_id=canary.listing_id,
        deposit_id=canary.deposit_id,
        version=1,
        suite=SUITE,
        ciphertext=canary.ciphertext,
        commitment=canary.commitment,
    )
    grant = Grant(
        purpose=Purpose.CUSTODY,
        transaction_id=None,
        listing_id=canary.listing_id,
        deposit_id=canary.deposit_id,
        deposit_version=1,
        user_id=canary.user_id,
        suite=canary.suite,
        fingerprint=canary.fingerprint,
        sealed=canary.sealed,
    )
    open_deposit(deposit, open_grant(grant, deposit, private_key))


async def _find(connection: Connection) -> Canary | None:
    cursor = connection.cursor(row_factory=class_row(Canary))
    await cursor.execute(SQL.find_canary)
    return await cursor.fetchone()


async def _make(connection: Connection, pepper: Pepper, random_bytes: RandomBytes) -> None:
    private_key, unlock_key = generate_private_key(random_bytes), Secret(random_bytes(KEY_BYTES))
    pair = wrap_private_key(
        private_key, user_id=NOBODY, key_version=1, unlock_key=unlock_key, pepper=pepper, random_bytes=random_bytes
    )
    document = make_document({"canary": "sings"}, random_bytes)
    deposit, key = seal_document(document, listing_id=NOBODY, deposit_id=NOBODY, random_bytes=random_bytes)
    grant = grant_custody(key, deposit, seller_id=NOBODY, seller_key=get_public_key(private_key))
    row = {
        "user_id": NOBODY,
        "key_version": pair.key_version,
        "suite": pair.suite,
        "public_key": pair.public_key,
        "key_commitment": pair.key_commitment,
        "pepper_version": pair.pepper_version,
        "wrapped_private_key": pair.wrapped_private_key,
        "unlock_key": unlock_key.reveal(),
        "listing_id": deposit.listing_id,
        "deposit_id": deposit.deposit_id,
        "ciphertext": deposit.ciphertext,
        "commitment": deposit.commitment,
        "fingerprint": grant.fingerprint,
        "sealed": grant.sealed,
    }
    await connection.execute(SQL.insert_canary, row)
