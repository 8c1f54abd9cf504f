"""Depositing: seal the credentials, give the seller the key to them, record it, forget both."""

from collections.abc import Awaitable, Mapping
from typing import cast
from uuid import UUID

from pydantic import JsonValue

from api.command import Desk
from api.dependencies import Dependencies
from database.connect import Pool
from domain.errors import EscrowError, NotFound
from domain.listing import Listing
from domain.listing.commands import DepositCredentials
from domain.transaction import Transaction
from domain.vault import CredentialsSealed, Vault
from eventstore.escrow import Result
from eventstore.log import read_stream
from identity.keypair import get_key_pair
from vault.deposit import JSON, SealedDeposit, make_document, seal_document
from vault.grant import Purpose, destroy_material, get_grant, grant_custody, hand_over, store_grant
from vault.keypair import PublicKey, read_public_key
from vault.secret import Secret

Credentials = Mapping[str, JsonValue]


async def deposit(desk: Desk, listing_id: UUID, credentials: Credentials) -> Result[Vault]:
    """Seal credentials for a listing. Raises what `Listing.attach_deposit` raises, and UnfitCredentials.

    Every attempt has an id of its own; what a refused or repeated one has prepared is destroyed again.
    """
    dependencies = desk.dependencies
    await desk.require_version(Listing, listing_id)
    seller_id, deposit_id = UUID(desk.actor.id), dependencies.escrow.new_id()
    sealed, key = seal_credentials(dependencies, credentials, listing_id=listing_id, deposit_id=deposit_id)
    seller_key = await read_key(dependencies.pool, seller_id)
    command = command_of(sealed, seller_key)
    rehearsed = await desk.rehearse(deposit_id, command)
    if desk.is_dry and rehearsed is not None:
        return rehearsed

    async def record() -> Result[Vault]:
        async with dependencies.pool.connection() as connection:
            await store_grant(connection, grant_custody(key, sealed, seller_id=seller_id, seller_key=seller_key))
        return await desk.run(deposit_id, command)

    return await record_or_destroy(desk, deposit_id, record())


def seal_credentials(
    dependencies: Dependencies, credentials: Credentials, *, listing_id: UUID, deposit_id: UUID
) -> tuple[SealedDeposit, Secret]:
    """Return the credentials, sealed, and the key to them. Raises UnfitCredentials."""
    random_bytes = dependencies.random_bytes
    # Fractions are JSON too, but not credentials: making the document refuses them.
    document = make_document(cast("Mapping[str, JSON]", credentials), random_bytes)
    return seal_document(document, listing_id=listing_id, deposit_id=deposit_id, random_bytes=random_bytes)


def command_of(sealed: SealedDeposit, seller_key: PublicKey) -> DepositCredentials:
    """Return the command that records a sealed deposit."""
    return DepositCredentials(
        listing_id=sealed.listing_id,
        ciphertext=sealed.ciphertext,
        commitment_sha256=sealed.commitment.hex(),
        suite=sealed.suite,
        seller_key_fingerprint=seller_key.fingerprint,
    )


async def read_key(pool: Pool, user_id: UUID) -> PublicKey:
    """Return the key to which things are sealed for somebody."""
    async with pool.connection() as connection:
        return read_public_key(await get_key_pair(connection, user_id))


async def read_deposit(pool: Pool, vault_id: UUID) -> SealedDeposit:
    """Return a deposit as the log holds it. Raises NotFound."""
    events = await read_stream(pool, vault_id, to_version=1)
    sealed = events[0].event if events else None
    if not isinstance(sealed, CredentialsSealed):
        raise NotFound
    return SealedDeposit(
        listing_id=sealed.listing_id,
        deposit_id=vault_id,
        version=1,
        suite=sealed.suite,
        ciphertext=sealed.ciphertext,
        commitment=bytes.fromhex(sealed.commitment_sha256),
    )


async def grant_to_buyer(
    pool: Pool, transaction: Transaction, seller_private_key: Secret, fingerprint: str, buyer_key: PublicKey
) -> None:
    """Open in memory what the seller holds under the key with this fingerprint, and grant it to the buyer.

    It is stored before the event that names it. Raises GrantGone and MaterialDestroyed.
    """
    deposit = await read_deposit(pool, transaction.vault_id)
    async with pool.connection() as connection:
        custody = await get_grant(
            connection,
            deposit,
            purpose=Purpose.CUSTODY,
            transaction_id=None,
            user_id=transaction.seller_id,
            fingerprint=fingerprint,
        )
        grant = hand_over(
            custody,
            deposit,
            seller_private_key=seller_private_key,
            transaction_id=transaction.id,
            buyer_id=transaction.buyer_id,
            buyer_key=buyer_key,
        )
        await store_grant(connection, grant)


async def record_or_destroy(desk: Desk, deposit_id: UUID, recording: Awaitable[Result[Vault]]) -> Result[Vault]:
    """Record a deposit; destroy its key again when this attempt certainly was not the one that the log records."""
    try:
        recorded = await recording
    except EscrowError as error:
        if error.is_refusal:
            await _destroy(desk, deposit_id)
        raise
    if recorded.aggregate.id != deposit_id:
        await _destroy(desk, deposit_id)
    return recorded


async def _destroy(desk: Desk, deposit_id: UUID) -> None:
    async with desk.dependencies.pool.connection() as connection:
        await destroy_material(connection, deposit_id, None)
