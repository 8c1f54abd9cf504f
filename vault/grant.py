"""A grant: the key of one deposit, sealed to one person for one purpose. Deleting it shreds; it is not in the log."""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from psycopg.errors import ObjectNotInPrerequisiteState
from psycopg.rows import class_row

from database.connect import Connection
from database.queries import load
from domain.errors import Refused
from vault.deposit import SealedDeposit
from vault.keypair import PublicKey, get_public_key
from vault.sealing import SealBroken, context, seal_to, unseal_from
from vault.secret import Secret

SQL = load("vault", "grant.sql")


class Purpose(StrEnum):
    """`CUSTODY`: the seller keeps the key until a buyer exists. `DELIVERY`: the buyer of one transaction may reveal."""

    CUSTODY = "custody"
    DELIVERY = "delivery"


class GrantGone(Refused):
    """There is no key to these credentials for you: it was destroyed, or lost with an earlier password."""

    code = "grant_gone"


class MaterialDestroyed(Refused):
    """These credentials were destroyed; no key to them is accepted any more."""

    code = "vault_material_destroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One row of `vault_grants`; `fingerprint` is that of the public key it is sealed to."""

    purpose: str
    transaction_id: UUID | None
    listing_id: UUID
    deposit_id: UUID
    deposit_version: int
    user_id: UUID
    suite: str
    fingerprint: str
    sealed: bytes


def grant_custody(key: Secret, deposit: SealedDeposit, *, seller_id: UUID, seller_key: PublicKey) -> Grant:
    """Give the key of a deposit to the seller who made it."""
    return _grant(key, deposit, Purpose.CUSTODY, None, seller_id, seller_key)


def grant_delivery(
    key: Secret, deposit: SealedDeposit, *, transaction_id: UUID, buyer_id: UUID, buyer_key: PublicKey
) -> Grant:
    """Give the key of a deposit to the buyer of one transaction."""
    return _grant(key, deposit, Purpose.DELIVERY, transaction_id, buyer_id, buyer_key)


def _grant(
    key: Secret,
    deposit: SealedDeposit,
    purpose: Purpose,
    transaction_id: UUID | None,
    user_id: UUID,
    public_key: PublicKey,
) -> Grant:
    grant = Grant(
        purpose=purpose,
        transaction_id=transaction_id,
        listing_id=deposit.listing_id,
        deposit_id=deposit.deposit_id,
        deposit_version=deposit.version,
        user_id=user_id,
        suite=public_key.suite,
        fingerprint=public_key.fingerprint,
        sealed=b"",
    )
    return replace(grant, sealed=seal_to(public_key.raw, key, _context(grant, grant.fingerprint)))


def _context(grant: Grant, fingerprint: str) -> bytes:
    return context(
        "grant",
        grant.suite,
        grant.purpose,
        grant.transaction_id,
        grant.listing_id,
        grant.deposit_id,
        grant.deposit_version,
        grant.user_id,
        fingerprint,
    )


def open_grant(grant: Grant, deposit: SealedDeposit, private_key: Secret) -> Secret:
    """Return the key of `deposit`.

    Raises SealBroken when the grant was altered or moved, is sealed to another key, or belongs to another deposit.
    """
    place = (grant.listing_id, grant.deposit_id, grant.deposit_version)
    if place != (deposit.listing_id, deposit.deposit_id, deposit.version):
        raise SealBroken
    fingerprint = get_public_key(private_key).fingerprint
    if fingerprint != grant.fingerprint:
        raise SealBroken
    return unseal_from(private_key, grant.sealed, _context(grant, fingerprint))


def hand_over(
    custody: Grant,
    deposit: SealedDeposit,
    *,
    seller_private_key: Secret,
    transaction_id: UUID,
    buyer_id: UUID,
    buyer_key: PublicKey,
) -> Grant:
    """What the seller's signature does: open the custody grant in memory and grant the key to the buyer."""
    key = open_grant(custody, deposit, seller_private_key)
    return grant_delivery(key, deposit, transaction_id=transaction_id, buyer_id=buyer_id, buyer_key=buyer_key)


async def store_grant(connection: Connection, grant: Grant) -> None:
    """Keep the grant; commit it before the event that speaks of it. Storing one again for the same key changes nothing.

    Raises MaterialDestroyed when the deposit, or its delivery in this transaction, has been destroyed.
    """
    try:
        await connection.execute(
            SQL.insert_grant,
            {
                "purpose": grant.purpose,
                "transaction_id": grant.transaction_id,
                "listing_id": grant.listing_id,
                "deposit_id": grant.deposit_id,
                "deposit_version": grant.deposit_version,
                "user_id": grant.user_id,
                "suite": grant.suite,
                "fingerprint": grant.fingerprint,
                "sealed": grant.sealed,
            },
        )
    except ObjectNotInPrerequisiteState:
        raise MaterialDestroyed from None


async def get_grant(
    connection: Connection,
    deposit: SealedDeposit,
    *,
    purpose: Purpose,
    transaction_id: UUID | None,
    user_id: UUID,
    fingerprint: str,
) -> Grant:
    """The grant of `deposit` to one person's present key (`fingerprint`). Raises GrantGone."""
    cursor = connection.cursor(row_factory=class_row(Grant))
    await cursor.execute(
        SQL.get_grant,
        {
            "purpose": purpose,
            "transaction_id": transaction_id,
            "deposit_id": deposit.deposit_id,
            "deposit_version": deposit.version,
            "user_id": user_id,
            "fingerprint": fingerprint,
        },
    )
    grant = await cursor.fetchone()
    if grant is None:
        raise GrantGone
    return grant


async def destroy_delivery(connection: Connection, deposit_id: UUID, transaction_id: UUID) -> None:
    """Shred the buyer's grant and the stored answer of one transaction; the seller keeps his. Idempotent."""
    await connection.execute(SQL.destroy_delivery, (deposit_id, transaction_id))


async def destroy_material(connection: Connection, deposit_id: UUID, transaction_id: UUID | None) -> None:
    """Shred every grant of the deposit and the stored answer of the transaction: nothing opens it again. Idempotent."""
    await connection.execute(SQL.destroy_material, (deposit_id, transaction_id))
