"""Handing over once more what was lost on the way: a new deposit, or the old one to a new key, under an addendum."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from starlette.responses import Response

from api.command import Desk
from api.content import keep_content, rehearse_content
from api.dependencies import Dependencies
from api.flows.deposit import Credentials, grant_to_buyer, read_key, record_or_destroy, seal_credentials
from api.flows.signing import KIND, check_name, open_own_key
from api.views.transaction import TransactionView
from domain.contract import ADDENDUM_VERSION, contract_sha256, render_addendum
from domain.transaction import Transaction
from domain.transaction.commands import ReplaceDeposit
from domain.transaction.contract import ContractDiffers
from domain.transaction.records import VaultStatus
from domain.transaction.redeposit import RedepositCredentials
from domain.transaction.vault import Addendum, NotLost
from domain.vault import Vault
from eventstore.escrow import Result
from vault.deposit import SealedDeposit
from vault.grant import grant_custody, grant_delivery, store_grant
from vault.keypair import PublicKey
from vault.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What the seller sends: credentials, or none to hand over those that he deposited before."""

    content_sha256: str
    legal_name: str = field(repr=False)
    password: str = field(repr=False)
    credentials: Credentials | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The present keys of both, to which the vault seals from now on."""

    buyer: PublicKey
    seller: PublicKey


async def get_addendum(dependencies: Dependencies, transaction: Transaction) -> bytes:
    """Return what the seller has to sign now. Raises NotLost."""
    if transaction.vault is not VaultStatus.LOST:
        raise NotLost
    return _render(transaction, await _read_keys(dependencies, transaction))


async def redeposit(desk: Desk, transaction_id: UUID, wanted: Handover) -> Response:
    """Deposit and grant again. Raises what `replace_deposit` raises, ContractDiffers, NameDiffers, WrongPassword,
    GrantGone and MaterialDestroyed when there is nothing left to hand over, and UnfitCredentials."""
    dependencies = desk.dependencies
    transaction = await desk.get(Transaction, transaction_id)
    keys = await _read_keys(dependencies, transaction)
    command = ReplaceDeposit(
        vault_id=transaction.vault_id if wanted.credentials is None else dependencies.escrow.new_id(),
        addendum=_addendum(wanted, keys, rehearse_content(desk.request, KIND).sha256),
    )
    rehearsed = await desk.rehearse(transaction_id, command)
    if rehearsed is not None:
        await check_name(desk, wanted.legal_name)
        if contract_sha256(_render(transaction, keys)) != wanted.content_sha256:
            raise ContractDiffers
        if desk.is_dry:
            return desk.answer(rehearsed, TransactionView.of(rehearsed.aggregate, desk.actor))
        content = await keep_content(dependencies, desk.request, KIND, {"legal_name": wanted.legal_name})
        command = replace(command, addendum=_addendum(wanted, keys, content.sha256))
        private_key, _ = await open_own_key(desk, wanted.password)
        if wanted.credentials is None:
            await grant_to_buyer(dependencies.pool, transaction, private_key, keys.seller.fingerprint, keys.buyer)
    if wanted.credentials is None:
        result = await desk.run(transaction_id, command)
        return desk.answer(result, TransactionView.of(result.aggregate, desk.actor))
    return await _deposit_anew(desk, transaction, wanted.credentials, keys, command)


def _addendum(wanted: Handover, keys: Keys, name_digest: str) -> Addendum:
    return Addendum(
        content_sha256=wanted.content_sha256,
        template_version=ADDENDUM_VERSION,
        name_digest=name_digest,
        buyer_key_fingerprint=keys.buyer.fingerprint,
        seller_key_fingerprint=keys.seller.fingerprint,
    )


async def _deposit_anew(
    desk: Desk, transaction: Transaction, credentials: Credentials, keys: Keys, command: ReplaceDeposit
) -> Response:
    dependencies, vault_id = desk.dependencies, command.vault_id
    sealed, key = seal_credentials(dependencies, credentials, listing_id=transaction.listing_id, deposit_id=vault_id)

    async def record() -> Result[Vault]:
        await _grant_both(desk, transaction, sealed, key, keys)
        return await desk.run(vault_id, _record(sealed, transaction.id, command))

    recorded = await record_or_destroy(desk, vault_id, record())
    after = await dependencies.escrow.get(Transaction, transaction.id, at_position=recorded.position)
    result = Result(after, recorded.position, replayed=recorded.replayed)
    return desk.answer(result, TransactionView.of(after, desk.actor))


async def _grant_both(desk: Desk, transaction: Transaction, sealed: SealedDeposit, key: Secret, keys: Keys) -> None:
    custody = grant_custody(key, sealed, seller_id=transaction.seller_id, seller_key=keys.seller)
    delivery = grant_delivery(
        key, sealed, transaction_id=transaction.id, buyer_id=transaction.buyer_id, buyer_key=keys.buyer
    )
    async with desk.dependencies.pool.connection() as connection:
        await store_grant(connection, custody)
        await store_grant(connection, delivery)


def _record(sealed: SealedDeposit, transaction_id: UUID, command: ReplaceDeposit) -> RedepositCredentials:
    assert command.addendum is not None
    return RedepositCredentials(
        transaction_id=transaction_id,
        ciphertext=sealed.ciphertext,
        commitment_sha256=sealed.commitment.hex(),
        suite=sealed.suite,
        addendum=command.addendum,
    )


def _render(transaction: Transaction, keys: Keys) -> bytes:
    return render_addendum(transaction, keys.buyer.fingerprint, keys.seller.fingerprint)


async def _read_keys(dependencies: Dependencies, transaction: Transaction) -> Keys:
    pool = dependencies.pool
    return Keys(buyer=await read_key(pool, transaction.buyer_id), seller=await read_key(pool, transaction.seller_id))
