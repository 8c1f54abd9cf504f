"""Losses: what nobody can open any more is recorded, so that its seller may deposit again and no buyer pays for it.

A retired key stays on the list until nothing depends on it: a deposit that was handed over is still the buyer's to
open, and lost only when that sale comes to nothing.
"""

from collections.abc import AsyncGenerator
from typing import LiteralString
from uuid import UUID

import structlog

from database.queries import load
from domain.errors import NotFound
from domain.listing import Listing
from domain.listing.commands import LoseListedDeposit
from domain.listing.status import ListingStatus
from domain.transaction import Transaction
from domain.transaction.records import ContractStatus, VaultStatus
from domain.transaction.system_commands import LoseDeposit
from domain.vault import DepositStatus, LoseCredentials, Vault
from eventstore.transcoder import Undecodable
from reactions.toolbox import Toolbox, order

SQL = load("reactions", "loss.sql")
NAME = "losses"
NO_ID = UUID(int=0)
REASON = "password_reset"

logger = structlog.get_logger("reactions")


async def notice_loss(tools: Toolbox, transaction: Transaction) -> bool:
    """Record that a deposit is lost on its way: sealed for a key that is retired, of the buyer or of the seller."""
    if not transaction.is_live or transaction.contract is ContractStatus.NONE:
        return False
    if transaction.vault not in {VaultStatus.SEALED, VaultStatus.GRANTED}:
        return False
    is_lost = await _is_lost(tools, transaction)
    if is_lost:
        await order(tools, NAME, transaction, LoseDeposit())
    return is_lost


async def _is_lost(tools: Toolbox, transaction: Transaction) -> bool:
    deposit, buyer = transaction.vault_id, transaction.buyer_id
    if transaction.vault is VaultStatus.GRANTED:
        return await _ask(tools, SQL.is_delivery_lost, deposit_id=deposit, transaction_id=transaction.id)
    return await is_custody_lost(tools, deposit) or await _ask(
        tools, SQL.is_key_lost, buyer_id=buyer, fingerprint=transaction.buyer_key_fingerprint
    )


async def is_custody_lost(tools: Toolbox, vault_id: UUID) -> bool:
    """Whether the seller can never hand the deposit over again: it was destroyed, or his key to it is retired."""
    return await _ask(tools, SQL.is_custody_lost, deposit_id=vault_id)


async def _ask(tools: Toolbox, query: LiteralString, **facts: UUID | str | None) -> bool:
    async with tools.pool.connection() as connection:
        return await (await connection.execute(query, facts)).fetchone() == (True,)


async def record_losses(tools: Toolbox) -> None:
    """Record what was lost with the keys that were retired since. Doing it twice, or at any time, is harmless."""
    async for user_id, key_version, fingerprint in _read_unrecorded(tools):
        if await _record_all(tools, user_id, fingerprint):
            facts = {"user_id": user_id, "key_version": key_version, "at": tools.clock()}
            async with tools.pool.connection() as connection:
                await connection.execute(SQL.record_losses, facts)


async def _read_unrecorded(tools: Toolbox) -> AsyncGenerator[tuple[UUID, int, str]]:
    """Those that have to wait, however many they are, keep no other from its turn."""
    user_id, key_version = NO_ID, 0
    while True:
        async with tools.pool.connection() as connection:
            facts = {"user_id": user_id, "key_version": key_version}
            page = await (await connection.execute(SQL.list_unrecorded, facts)).fetchall()
        for user_id, key_version, fingerprint in page:
            yield user_id, key_version, fingerprint
        if not page:
            return


async def _record_all(tools: Toolbox, user_id: UUID, fingerprint: str) -> bool:
    """Whether nothing depends on this key any more."""
    facts = {"user_id": user_id, "fingerprint": fingerprint}
    async with tools.pool.connection() as connection:
        deposits = await (await connection.execute(SQL.list_custody, facts)).fetchall()
    return all([await _is_recorded(tools, deposit_id) for (deposit_id,) in deposits])


async def _is_recorded(tools: Toolbox, vault_id: UUID) -> bool:
    """Whether nothing is left to record of a deposit; one that cannot be read waits, and holds up no other."""
    try:
        return await record_loss(tools, vault_id)
    except Undecodable as error:
        logger.error("loss_unrecorded", vault_id=str(vault_id), reason=str(error))
        return False


async def record_loss(tools: Toolbox, vault_id: UUID) -> bool:
    """Record that the seller's key to a deposit is lost; False while a buyer holds another."""
    try:
        deposit = await tools.escrow.get(Vault, vault_id)
    except NotFound:  # granted in an attempt that came to nothing
        return True
    listing = await tools.escrow.get(Listing, deposit.listing_id)
    if await is_handed_over(tools, listing, vault_id):
        return False
    if deposit.status is DepositStatus.SEALED:
        await order(tools, NAME, deposit, LoseCredentials(reason=REASON))
    await lose_listed(tools, listing, vault_id)
    return True


async def lose_listed(tools: Toolbox, listing: Listing, vault_id: UUID) -> Listing:
    """Leave the listing without this deposit, if it is the one that is offered; return it as it is then."""
    if listing.vault_id != vault_id:
        return listing
    return (await order(tools, NAME, listing, LoseListedDeposit(vault_id=vault_id))).aggregate


async def withdraw_destroyed(tools: Toolbox) -> None:
    """Take off sale whatever nothing opens any more, however it came to be for sale. Doing it twice is harmless."""
    async with tools.pool.connection() as connection:
        destroyed = await (await connection.execute(SQL.list_destroyed)).fetchall()
    for listing_id, vault_id in destroyed:
        try:
            await lose_listed(tools, await tools.escrow.get(Listing, listing_id), vault_id)
        except Undecodable as error:
            logger.error("listing_not_withdrawn", listing_id=str(listing_id), reason=str(error))


async def is_handed_over(tools: Toolbox, listing: Listing, vault_id: UUID) -> bool:
    """Whether the buyer of the transaction that holds the listing has a key to the deposit."""
    if listing.status is not ListingStatus.RESERVED or listing.transaction_id is None:
        return False
    transaction = await tools.escrow.get(Transaction, listing.transaction_id)
    return transaction.vault_id == vault_id and transaction.is_handed_over
