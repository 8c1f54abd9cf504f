"""Signing: the typed name is compared and kept outside the log; the seller's password hands the key to the buyer."""

import unicodedata
from dataclasses import dataclass, field
from uuid import UUID

from api.command import Desk
from api.content import keep_content, rehearse_content
from api.flows.deposit import grant_to_buyer, read_key
from domain.errors import Invalid, Refused
from domain.transaction import Transaction
from domain.transaction.commands import SignContract
from eventstore.escrow import Result
from identity.keypair import get_key_pair
from identity.password import get_password
from identity.password_guess import counting_guesses
from identity.user import get_user
from vault.secret import Secret

KIND = "signature"


class NameDiffers(Invalid):
    """Type your legal name as it stands in your account."""

    code = "name_differs"


class PasswordMissing(Invalid):
    """The seller signs with the password: it hands the key of the credentials to the buyer."""

    code = "password_missing"


class BuyerKeyReplaced(Refused):
    """The buyer has another key than the contract names: in a moment the deposit counts as lost, and you hand it over
    again."""

    code = "buyer_key_replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a party types."""

    content_sha256: str
    legal_name: str = field(repr=False)
    acknowledgements: tuple[str, ...]
    password: str | None = field(repr=False)


async def sign(desk: Desk, transaction_id: UUID, signature: Signature) -> Result[Transaction]:
    """Sign the contract. Raises NameDiffers, PasswordMissing, WrongPassword, and what `sign_contract` raises."""
    transaction = await desk.get(Transaction, transaction_id)
    is_seller = desk.actor.id == str(transaction.seller_id)
    fingerprint = transaction.buyer_key_fingerprint if is_seller else None
    content = rehearse_content(desk.request, KIND)
    rehearsed = await desk.rehearse(transaction_id, _command(signature, content.sha256, fingerprint))
    if rehearsed is not None:
        await check_name(desk, signature.legal_name)
        if desk.is_dry:
            return rehearsed
        if is_seller:
            await _show_password_or_hand_over(desk, transaction, signature.password)
    text = {"legal_name": signature.legal_name}
    content = await keep_content(desk.dependencies, desk.request, KIND, text)
    return await desk.run(transaction_id, _command(signature, content.sha256, fingerprint))


def _command(signature: Signature, name_digest: str, fingerprint: str | None) -> SignContract:
    return SignContract(
        content_sha256=signature.content_sha256,
        name_digest=name_digest,
        acknowledgements=signature.acknowledgements,
        granted_fingerprint=fingerprint,
    )


async def check_name(desk: Desk, typed: str) -> None:
    """Raise NameDiffers unless this is the legal name of the actor, but for case and spaces."""
    async with desk.dependencies.pool.connection() as connection:
        user = await get_user(connection, UUID(desk.actor.id))
    if _plain(typed) != _plain(user.legal_name):
        raise NameDiffers


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


async def _show_password_or_hand_over(desk: Desk, transaction: Transaction, password: str | None) -> None:
    """A deposit that was replaced before the signature has been handed over already."""
    if password is None:
        raise PasswordMissing
    private_key, fingerprint = await open_own_key(desk, password)
    if transaction.is_handed_over:
        return
    buyer_key = await read_key(desk.dependencies.pool, transaction.buyer_id)
    if buyer_key.fingerprint != transaction.buyer_key_fingerprint:
        raise BuyerKeyReplaced
    await grant_to_buyer(desk.dependencies.pool, transaction, private_key, fingerprint, buyer_key)


async def open_own_key(desk: Desk, password: str) -> tuple[Secret, str]:
    """Return the actor's private key and its fingerprint. Raises WrongPassword, TooManyTries and TooManySignIns.

    No connection is held while Argon2 works.
    """
    dependencies, user_id = desk.dependencies, UUID(desk.actor.id)
    async with dependencies.pool.connection() as connection:
        stored = await get_password(connection, user_id)
        key_pair = await get_key_pair(connection, user_id)
    async with counting_guesses(dependencies.pool, user_id, at=dependencies.clock()):
        private_key = await dependencies.locksmith.open_private_key(password, stored, key_pair)
    return private_key, key_pair.fingerprint
