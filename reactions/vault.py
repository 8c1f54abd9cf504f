"""The vault: keys that nobody needs any more are destroyed, first on record and then for ever."""

from datetime import timedelta
from uuid import UUID

from domain.transaction import Transaction
from domain.transaction.phase import TERMINAL
from domain.transaction.records import SettlementStatus, VaultStatus
from domain.vault import DepositStatus, DestroyCredentials, Vault
from reactions.toolbox import Toolbox, request_of
from vault.grant import destroy_delivery, destroy_material

REPEAT_WINDOW = timedelta(minutes=15)
NAME = "vault"


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


async def _destroy_deposit(tools: Toolbox, vault_id: UUID, transaction_id: UUID) -> None:
    deposit = await tools.escrow.get(Vault, vault_id)
    if deposit.status is not DepositStatus.DESTROYED:
        command = DestroyCredentials(reason="revealed")
        await tools.escrow.execute(vault_id, command, request_of(NAME, vault_id, deposit.version, command))
    async with tools.pool.connection() as connection:
        await destroy_material(connection, vault_id, transaction_id)
