"""Handing over once more what was lost on the way: a new deposit, or the old one to a new key, under an addendum."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast
from uuid import UUID

from pydantic import JsonValue
from starlette.responses import Response

from api.command import Desk
from api.content import keep_content, rehearse_content
from api.dependencies import Dependencies
from api.flows.deposit import only_if_recorded, read_deposit, read_key
from api.flows.signing import check_name, open_own_key
from api.views.transaction import TransactionView
from domain.contract import ADDENDUM_VERSION, contract_sha256, render_addendum
from domain.transaction import Transaction
from domain.transaction.commands import ReplaceDeposit
from domain.transaction.contract import ContractDiffers
from domain.transaction.records import VaultStatus
from domain.transaction.redeposit import RedepositCredentials
from domain.transaction.vault import Addendum, NotLost
from eventstore.escrow import Result
from vault.deposit import JSON, SealedDeposit, make_document, seal_document
from vault.grant import Purpose, get_grant, grant_custody, grant_delivery, hand_over, store_grant
from vault.keypair import PublicKey
from vault.secret import Secret

KIND = "signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What the seller sends: credentials, or none to hand over those that he deposited before."""

    content_sha256: str
    legal_name: str = field(repr=False)
    password: str = field(repr=False)
    credentials: Mapping[str, JsonValue] | None = field(repr=False)


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
    transaction = await dependencies.escrow.get(Transaction, transaction_id)
    keys = await _read_keys(dependencies, transaction)
    again = wanted.credentials is None
    command = ReplaceDeposit(
        vault_id=transaction.vault_id if again else dependencies.escrow.new_id(),
        key_fingerprint=keys.buyer.fingerprint,
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
        if again:
            await _grant_again(desk, transaction, private_key, keys)
    if again:
        result = await desk.run(transaction_id, command)
        return desk.answer(result, TransactionView.of(result.aggregate, desk.actor))
    return await _deposit_anew(desk, transaction, wanted, keys, command)


def _addendum(wanted: Handover, keys: Keys, name_digest: str) -> Addendum:
    return Addendum(
        content_sha256=wanted.content_sha256,
        template_version=ADDENDUM_VERSION,
        name_digest=name_digest,
        buyer_key_fingerprint=keys.buyer.fingerprint,
        seller_key_fingerprint=keys.seller.fingerprint,
    )


async def _grant_again(desk: Desk, transaction: Transaction, private_key: Secret, keys: Keys) -> None:
    """Hand over the deposit that the seller can still open; stored before the event that names it."""
    pool = desk.dependencies.pool
    deposit = await read_deposit(pool, transaction.vault_id)
    async with pool.connection() as connection:
        custody = await get_grant(
            connection,
            deposit,
            purpose=Purpose.CUSTODY,
            transaction_id=None,
            user_id=transaction.seller_id,
            fingerprint=keys.seller.fingerprint,
        )
        grant = hand_over(
            custody,
            deposit,
            seller_private_key=private_key,
            transaction_id=transaction.id,
            buyer_id=transaction.buyer_id,
            buyer_key=keys.buyer,
        )
        await store_grant(connection, grant)


async def _deposit_anew(
    desk: Desk, transaction: Transaction, wanted: Handover, keys: Keys, command: ReplaceDeposit
) -> Response:
    dependencies, vault_id = desk.dependencies, command.vault_id
    document = make_document(cast("Mapping[str, JSON]", wanted.credentials), dependencies.random_bytes)
    sealed, key = seal_document(
        document, listing_id=transaction.listing_id, deposit_id=vault_id, random_bytes=dependencies.random_bytes
    )
    async with only_if_recorded(desk, vault_id) as outcome:
        await _grant_both(desk, transaction, sealed, key, keys)
        outcome.append(await desk.run(vault_id, _record(sealed, transaction.id, command)))
    position = outcome[0].position
    after = await dependencies.escrow.get(Transaction, transaction.id, at_position=position)
    result = Result(after, position, replayed=outcome[0].replayed)
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
