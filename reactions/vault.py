"""The vault: keys that nobody needs any more are destroyed, first on record and then for ever."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import structlog

from database.connect import Pool
from database.queries import load
from domain.errors import NotFound
from domain.transaction import Transaction
from domain.transaction.phase import TERMINAL
from domain.transaction.records import SettlementStatus, VaultStatus
from domain.vault import DepositStatus, DestroyCredentials, Vault
from eventstore.escrow import Escrow
from eventstore.transcoder import Undecodable
from reactions.toolbox import Toolbox, find_readable, order
from vault.grant import destroy_delivery, destroy_material

SQL = load("reactions", "vault.sql")
REPEAT_WINDOW = timedelta(minutes=15)
NAME = "vault"

logger = structlog.get_logger("reactions")


async def destroy_keys(tools: Toolbox, transaction: Transaction) -> bool:
    """After the reveal was read, or 15 minutes: nothing opens the deposit. After a refund: the buyer's key goes."""
    for vault_id in transaction.superseded_vaults:
        await _destroy_deposit(tools, vault_id, transaction.id)
    if _is_shown(tools, transaction):
        await _destroy_deposit(tools, transaction.vault_id, transaction.id)
    elif _is_void(transaction):
        async with tools.pool.connection() as connection:
            await destroy_delivery(connection, transaction.vault_id, transaction.id)
    return False


def _is_shown(tools: Toolbox, transaction: Transaction) -> bool:
    if transaction.vault is VaultStatus.ACKNOWLEDGED or transaction.access_confirmed_at is not None:
        return True
    if transaction.vault is VaultStatus.LOST:
        return transaction.vault_id == transaction.shown_vault_id
    shown_at = transaction.shown_at
    return (
        transaction.vault is VaultStatus.REVEALED and shown_at is not None and tools.clock() >= shown_at + REPEAT_WINDOW
    )


def _is_void(transaction: Transaction) -> bool:
    unseen = transaction.vault in {VaultStatus.SEALED, VaultStatus.GRANTED, VaultStatus.LOST}
    return unseen and (transaction.phase in TERMINAL or transaction.settlement is SettlementStatus.RETURNED)


async def destroy_ended(tools: Toolbox) -> None:
    """Destroy all keys to what was removed or sold, once no transaction needs them: it is never for sale again.

    A deposit or transaction that cannot be read holds up no other; a key to one that was never recorded goes too.
    """
    async with tools.pool.connection() as connection:
        ended = await (await connection.execute(SQL.list_ended)).fetchall()
    for vault_id, transaction_id in ended:
        try:
            if transaction_id is None or await _is_over(tools.escrow, transaction_id):
                await _destroy_deposit(tools, vault_id, transaction_id, "removed")
        except Undecodable as error:
            logger.error("keys_not_destroyed", vault_id=str(vault_id), reason=str(error))


async def _is_over(escrow: Escrow, transaction_id: UUID) -> bool:
    """Whether the seller will never hand anything over in it: one that is not paid yet may still be."""
    transaction = await escrow.get(Transaction, transaction_id)
    return transaction.phase in TERMINAL or transaction.settlement not in {
        SettlementStatus.NONE,
        SettlementStatus.HELD,
    }


async def reconcile_vault(escrow: Escrow, pool: Pool) -> tuple[int, int]:
    """Destroy again what the log says was destroyed, as after a restore of an older backup of the database.

    Return how many deposits, and how many deliveries of ended transactions, had come to life again.
    """
    async with pool.connection() as connection:
        deposits = await (await connection.execute(SQL.list_undead)).fetchall()
        for (deposit_id,) in deposits:
            await destroy_material(connection, deposit_id, None)
        deliveries = await (await connection.execute(SQL.list_deliveries)).fetchall()
    void = [delivery for delivery in deliveries if await _is_void_again(escrow, delivery[1])]
    async with pool.connection() as connection:
        for deposit_id, transaction_id in void:
            await destroy_delivery(connection, deposit_id, transaction_id)
    return len(deposits), len(void)


async def _is_void_again(escrow: Escrow, transaction_id: UUID) -> bool:
    """Of one that the log has lost nothing is destroyed: the buyer may be about to sign it anew."""
    transaction = await find_readable(escrow, transaction_id)
    return transaction is not None and _is_void(transaction)


async def _destroy_deposit(
    tools: Toolbox, vault_id: UUID, transaction_id: UUID | None, reason: str = "revealed"
) -> None:
    with suppress(NotFound):  # granted in an attempt that came to nothing
        deposit = await tools.escrow.get(Vault, vault_id)
        if deposit.status is not DepositStatus.DESTROYED:
            await order(tools, NAME, deposit, DestroyCredentials(reason=reason))
    async with tools.pool.connection() as connection:
        await destroy_material(connection, vault_id, transaction_id)
