"""A user's key pair, and the two layers around its private half: the password inside, the pepper outside.

The pepper is the outer layer so that it can be rotated while nobody is present.
"""

import hmac
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.errors import Forbidden
from domain.ids import RandomBytes
from vault.pepper import Pepper
from vault.sealing import KEY_BYTES, KeySuite, SealBroken, context, seal, unseal
from vault.secret import Secret

PEPPERED_KEY = "peppered-private-key"
"""What the layer of the pepper around a private key is bound to, with its place."""


class WrongPassword(Forbidden):
    """The password is not the one that protects your keys."""

    code = "wrong_password"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """What anybody needs in order to seal for somebody."""

    suite: KeySuite
    raw: bytes

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits; stands in the contract, so that a swapped key can be seen."""
        digest = Hash(SHA256())
        digest.update(context("public-key", self.suite, self.raw))
        return digest.finalize().hex()


class StoredKeyPair(Protocol):
    """What the database keeps of a key pair; nothing in it opens without the password and the pepper."""

    @property
    def user_id(self) -> UUID:
        """The owner."""
        ...

    @property
    def key_version(self) -> int:
        """1 for the first pair; a password reset makes the next."""
        ...

    @property
    def suite(self) -> str:
        """A `KeySuite`."""
        ...

    @property
    def public_key(self) -> bytes:
        """32 bytes of X25519."""
        ...

    @property
    def key_commitment(self) -> bytes:
        """32 bytes that commit to the unlock key, because AES-GCM alone opens under more than one."""
        ...

    @property
    def pepper_version(self) -> int:
        """Which pepper the outer layer was made with."""
        ...

    @property
    def wrapped_private_key(self) -> bytes:
        """The blob."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPairRecord:
    """A `StoredKeyPair` as it is made."""

    user_id: UUID
    key_version: int
    suite: KeySuite
    public_key: bytes
    key_commitment: bytes = field(repr=False)
    pepper_version: int
    wrapped_private_key: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """That of the public key."""
        return PublicKey(suite=self.suite, raw=self.public_key).fingerprint


def generate_private_key(random_bytes: RandomBytes) -> Secret:
    """32 random bytes are an X25519 private key (RFC 7748 §5 clamps them on use)."""
    return Secret(random_bytes(KEY_BYTES))


def get_public_key(private_key: Secret) -> PublicKey:
    """The public half."""
    raw = X25519PrivateKey.from_private_bytes(private_key.reveal()).public_key().public_bytes_raw()
    return PublicKey(suite=KeySuite.X25519, raw=raw)


def read_public_key(stored: StoredKeyPair) -> PublicKey:
    """The public half as it is stored. Raises SealBroken for a suite that this program does not know."""
    return PublicKey(suite=_read_suite(stored.suite), raw=stored.public_key)


def _read_suite(text: str) -> KeySuite:
    try:
        return KeySuite(text)
    except ValueError:
        raise SealBroken from None


def wrap_private_key(
    private_key: Secret,
    *,
    user_id: UUID,
    key_version: int,
    unlock_key: Secret,
    pepper: Pepper,
    random_bytes: RandomBytes,
) -> KeyPairRecord:
    """Return what to store: the private key under the unlock key under the current pepper, with a key commitment."""
    public, pepper_version = get_public_key(private_key), pepper.current
    inner_context = _inner_context(user_id, key_version, public.suite)
    inner = Secret(seal(unlock_key, private_key, inner_context, random_bytes))
    outer_context = _outer_context(user_id, key_version, public.suite, pepper_version)
    return KeyPairRecord(
        user_id=user_id,
        key_version=key_version,
        suite=public.suite,
        public_key=public.raw,
        key_commitment=_commit_to(unlock_key, user_id, key_version),
        pepper_version=pepper_version,
        wrapped_private_key=seal(pepper.get_key(pepper_version), inner, outer_context, random_bytes),
    )


def _inner_context(user_id: UUID, key_version: int, suite: KeySuite) -> bytes:
    return context("private-key", suite, user_id, key_version)


def _outer_context(user_id: UUID, key_version: int, suite: KeySuite, pepper_version: int) -> bytes:
    return context(PEPPERED_KEY, suite, user_id, key_version, pepper_version)


def _commit_to(unlock_key: Secret, user_id: UUID, key_version: int) -> bytes:
    info = context("key-commitment", user_id, key_version)
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(unlock_key.reveal())


def open_outer_layer(
    user_id: UUID, key_version: int, suite: str, pepper_version: int, wrapped_private_key: bytes, *, pepper: Pepper
) -> Secret:
    """Open the layer of the pepper; what comes out is still under the unlock key of its owner.

    Raises PepperVersionUnknown, SealBroken.
    """
    outer_context = _outer_context(user_id, key_version, _read_suite(suite), pepper_version)
    return unseal(pepper.get_key(pepper_version), wrapped_private_key, outer_context)


def unwrap_private_key(stored: StoredKeyPair, *, unlock_key: Secret, pepper: Pepper) -> Secret:
    """Open both layers and return the private key.

    Raises WrongPassword when the unlock key is not the one committed to, PepperVersionUnknown, or SealBroken when the
    record was altered, comes from another row, or holds the key of another public key.
    """
    commitment = _commit_to(unlock_key, stored.user_id, stored.key_version)
    if not hmac.compare_digest(commitment, stored.key_commitment):
        raise WrongPassword
    public = read_public_key(stored)
    inner = open_outer_layer(
        stored.user_id,
        stored.key_version,
        stored.suite,
        stored.pepper_version,
        stored.wrapped_private_key,
        pepper=pepper,
    )
    private_key = unseal(unlock_key, inner.reveal(), _inner_context(stored.user_id, stored.key_version, public.suite))
    if get_public_key(private_key) != public:
        raise SealBroken
    return private_key
