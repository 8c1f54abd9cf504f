"""A deposit: the credentials as one padded JSON document, sealed with a key that is used once.

The SHA-256 of the document stands in the log. A 32-byte nonce in it keeps anybody from guessing the document from the
hash, while a buyer can disclose what was delivered and an admin can check it against the log.
"""

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NoReturn
from uuid import UUID

from domain.errors import Invalid
from domain.ids import RandomBytes
from vault.sealing import KEY_BYTES, SealBroken, context, seal, unseal
from vault.secret import Secret

SUITE = "aes256gcm-json512"
"""AES-256-GCM over canonical JSON that is padded with spaces to a multiple of 512 bytes."""
BLOCK_BYTES = 512
LARGEST_DOCUMENT = 32 * 1024
NONCE_BYTES = 32

JSON = None | bool | int | str | Sequence["JSON"] | Mapping[str, "JSON"]


class UnfitCredentials(Invalid):
    """Credentials are a JSON object of text, whole numbers, lists and objects: one entry or more, at most 32 KiB."""

    code = "unfit_credentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What the seller hands over and the buyer sees, as the exact bytes that are committed to."""

    content: Secret = field(repr=False)
    """Canonical JSON: keys sorted by code point, no spaces, UTF-8; without padding."""

    @property
    def commitment(self) -> bytes:
        """SHA-256 of `content`, 32 bytes."""
        return sha256(self.content.reveal()).digest()

    @property
    def padded(self) -> Secret:
        """`content` and spaces up to a multiple of 512 bytes: still JSON, and its length says little."""
        content = self.content.reveal()
        return Secret(content.ljust(-(-len(content) // BLOCK_BYTES) * BLOCK_BYTES))


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedDeposit:
    """What the log and `credential_vaults` may hold: public but for those with the key."""

    listing_id: UUID
    deposit_id: UUID
    version: int
    suite: str
    ciphertext: bytes
    commitment: bytes


def make_document(credentials: Mapping[str, JSON], random_bytes: RandomBytes) -> Document:
    """Put `credentials` beside a fresh nonce in canonical JSON. Raises UnfitCredentials."""
    if not credentials:
        raise UnfitCredentials
    nonce = base64.b64encode(random_bytes(NONCE_BYTES)).decode()
    content = _canonical({"credentials": credentials, "nonce": nonce})
    if len(content) > LARGEST_DOCUMENT:
        raise UnfitCredentials
    return Document(content=Secret(content))


def _canonical(value: Mapping[str, JSON]) -> bytes:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        json.loads(text, parse_float=_refuse_fraction)
        return text.encode()
    except (TypeError, ValueError, RecursionError):
        raise UnfitCredentials from None


def _refuse_fraction(_text: str) -> NoReturn:
    """Two languages print the same fraction differently; the hash must not depend on who writes it."""
    raise UnfitCredentials


def seal_document(
    document: Document, *, listing_id: UUID, deposit_id: UUID, version: int = 1, random_bytes: RandomBytes
) -> tuple[SealedDeposit, Secret]:
    """Return the sealed deposit and its key, which is made here and used for nothing else.

    Grant the key to the seller at once and forget it. Take a fresh `deposit_id` for every attempt: a grant left behind
    by a failed one must never stand for another ciphertext.
    """
    key = Secret(random_bytes(KEY_BYTES))
    ciphertext = seal(key, document.padded, _context(listing_id, deposit_id, version, SUITE), random_bytes)
    deposit = SealedDeposit(
        listing_id=listing_id,
        deposit_id=deposit_id,
        version=version,
        suite=SUITE,
        ciphertext=ciphertext,
        commitment=document.commitment,
    )
    return deposit, key


def open_deposit(deposit: SealedDeposit, key: Secret) -> Document:
    """Return the document. Raises SealBroken for another key, place, version, suite or commitment."""
    bound_to = _context(deposit.listing_id, deposit.deposit_id, deposit.version, deposit.suite)
    padded = unseal(key, deposit.ciphertext, bound_to)
    document = Document(content=Secret(padded.reveal().rstrip(b" ")))
    if deposit.suite != SUITE or not hmac.compare_digest(document.commitment, deposit.commitment):
        raise SealBroken
    return document


def _context(listing_id: UUID, deposit_id: UUID, version: int, suite: str) -> bytes:
    return context("deposit", suite, listing_id, deposit_id, version)
