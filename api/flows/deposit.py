"""Depositing: seal the credentials, give the seller the key to them, record it, forget both."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import cast
from uuid import UUID

from pydantic import JsonValue

from api.command import Desk
from database.connect import Pool
from domain.errors import EscrowError, NotFound
from domain.listing import Listing
from domain.listing.commands import DepositCredentials
from domain.vault import CredentialsSealed, Vault
from eventstore.escrow import Result
from eventstore.log import read_stream
from identity.keypair import get_key_pair
from vault.deposit import JSON, SealedDeposit, make_document, seal_document
from vault.grant import destroy_material, grant_custody, store_grant
from vault.keypair import PublicKey, read_public_key


async def deposit(desk: Desk, listing_id: UUID, credentials: Mapping[str, JsonValue]) -> Result[Vault]:
    """Seal credentials for a listing. Raises what `Listing.attach_deposit` raises, and UnfitCredentials.

    Every attempt has an id of its own; what a refused or repeated one has prepared is destroyed again.
    """
    dependencies = desk.dependencies
    await desk.require_version(Listing, listing_id)
    seller_id, deposit_id = UUID(desk.actor.id), dependencies.escrow.new_id()
    # Fractions are JSON too, but not credentials: making the document refuses them.
    document = make_document(cast("Mapping[str, JSON]", credentials), dependencies.random_bytes)
    sealed, key = seal_document(
        document, listing_id=listing_id, deposit_id=deposit_id, random_bytes=dependencies.random_bytes
    )
    seller_key = await read_key(dependencies.pool, seller_id)
    command = command_of(sealed, seller_key)
    rehearsed = await desk.rehearse(deposit_id, command)
    if desk.is_dry and rehearsed is not None:
        return rehearsed
    async with only_if_recorded(desk, deposit_id) as outcome:
        async with dependencies.pool.connection() as connection:
            await store_grant(connection, grant_custody(key, sealed, seller_id=seller_id, seller_key=seller_key))
        outcome.append(await desk.run(deposit_id, command))
    return outcome[0]


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


@asynccontextmanager
async def only_if_recorded(desk: Desk, deposit_id: UUID) -> AsyncGenerator[list[Result[Vault]]]:
    """Destroy the key again when this attempt certainly was not the one that the log records."""
    outcome: list[Result[Vault]] = []
    try:
        yield outcome
    except EscrowError as error:
        if error.is_refusal:
            await _destroy(desk, deposit_id)
        raise
    if outcome[0].aggregate.id != deposit_id:
        await _destroy(desk, deposit_id)


async def _destroy(desk: Desk, deposit_id: UUID) -> None:
    async with desk.dependencies.pool.connection() as connection:
        await destroy_material(connection, deposit_id, None)
