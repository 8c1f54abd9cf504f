"""The two ways in which the vault seals: AES-256-GCM with a key, and HPKE (RFC 9180) to a public key.

Both bind a *context*: bytes that say what is sealed, for whom and where it belongs. Whoever opens a record rebuilds the
context from the place where it was found, so a record that was moved does not open.
"""

from enum import StrEnum
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from domain.errors import EscrowError, Invalid
from domain.ids import RandomBytes
from vault.secret import Secret

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
FORMAT = b"\x01"

Field = str | bytes | int | UUID | None


class SealBroken(EscrowError):
    """This record of the vault does not open: it was altered, moved, or sealed for another key."""

    code = "vault_seal_broken"
    status = 500


class UnfitPublicKey(Invalid):
    """This is not a public key to which the vault can seal: 32 bytes of X25519 are needed."""

    code = "unfit_public_key"


class KeySuite(StrEnum):
    """What a key pair is for; stored with every key and grant so that a hybrid suite can stand beside this one later.

    `X25519`: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, base mode; 0x0020, 0x0001, 0x0002 of RFC 9180.
    """

    X25519 = "hpke-x25519-sha256-aes256gcm"


HPKE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def context(purpose: str, *fields: Field) -> bytes:
    """Encode so that two different lists never give the same bytes: each field follows its length (u32, big-endian).

    Text is UTF-8, an integer u64 big-endian, a UUID its 16 bytes, None an empty field.
    """
    encoded = [_encode(field) for field in (f"escrow/v1/{purpose}", *fields)]
    return b"".join(len(field).to_bytes(4, "big") + field for field in encoded)


def _encode(field: Field) -> bytes:
    match field:
        case None:
            return b""
        case str():
            return field.encode()
        case int():
            return field.to_bytes(8, "big")
        case UUID():
            return field.bytes
        case bytes():
            return field


def seal(key: Secret, plaintext: Secret, bound_to: bytes, random_bytes: RandomBytes) -> bytes:
    """Return format byte 0x01, 12-byte nonce, ciphertext and 16-byte tag of AES-256-GCM with `bound_to` as its aad."""
    nonce = random_bytes(NONCE_BYTES)
    return FORMAT + nonce + AESGCM(key.reveal()).encrypt(nonce, plaintext.reveal(), bound_to)


def unseal(key: Secret, sealed: bytes, bound_to: bytes) -> Secret:
    """Open what `seal` made. Raises SealBroken, without a cause to learn from, for whatever does not fit."""
    if sealed[:1] != FORMAT or len(sealed) < 1 + NONCE_BYTES + TAG_BYTES:
        raise SealBroken
    nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return Secret(AESGCM(key.reveal()).decrypt(nonce, ciphertext, bound_to))
    except InvalidTag:
        raise SealBroken from None


def seal_to(public_key: bytes, plaintext: Secret, bound_to: bytes) -> bytes:
    """Return the 32-byte encapsulated key and the ciphertext of single-shot HPKE with `bound_to` as its info.

    HPKE draws its own randomness (no injected source). Raises UnfitPublicKey for a wrong length or a low-order point.
    """
    try:
        return HPKE.encrypt(plaintext.reveal(), X25519PublicKey.from_public_bytes(public_key), info=bound_to)
    except ValueError:
        raise UnfitPublicKey from None


def unseal_from(private_key: Secret, sealed: bytes, bound_to: bytes) -> Secret:
    """Open what `seal_to` made. Raises SealBroken, without a cause to learn from, for whatever does not fit."""
    key = X25519PrivateKey.from_private_bytes(private_key.reveal())
    try:
        return Secret(HPKE.decrypt(sealed, key, info=bound_to))
    except (InvalidTag, ValueError):
        raise SealBroken from None
