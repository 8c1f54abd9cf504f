"""A recovery key: 128 random bits on paper, under which the private key is wrapped a second time.

It needs no Argon2id: nobody guesses 128 bits. The pepper is the outer layer here too.
"""

import base64
import hmac
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.errors import Forbidden
from domain.ids import RandomBytes
from vault.keypair import StoredKeyPair, get_public_key, read_public_key
from vault.pepper import Pepper
from vault.sealing import KEY_BYTES, SealBroken, context, seal, unseal
from vault.secret import Secret

PEPPERED_RECOVERY = "peppered-recovery"
"""What the layer of the pepper is bound to here, with its place."""
RECOVERY_KEY_BYTES = 16
CHECK_BYTES = 4
GROUP = 4
NOISE = re.compile(r"[\s-]")
FORM = re.compile(r"[a-z2-7]{32}")


class RecoveryKeyRefused(Forbidden):
    """This is not the recovery key of this account: it was mistyped, replaced, used or revoked."""

    code = "recovery_key_refused"


class StoredRecoveryKey(Protocol):
    """What the database keeps: nothing in it opens without the paper and the pepper."""

    @property
    def user_id(self) -> UUID:
        """The owner."""
        ...

    @property
    def key_version(self) -> int:
        """Which of the owner's key pairs it opens."""
        ...

    @property
    def key_commitment(self) -> bytes:
        """32 bytes that commit to the recovery key."""
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
class RecoveryKeyRecord:
    """A `StoredRecoveryKey` as it is made."""

    user_id: UUID
    key_version: int
    key_commitment: bytes = field(repr=False)
    pepper_version: int
    wrapped_private_key: bytes = field(repr=False)


def print_recovery_key(key: Secret) -> str:
    """Return what stands on the paper: 8 groups of 4 letters and digits, the last 32 bits a check on the others."""
    raw = key.reveal()
    text = base64.b32encode(raw + _check(raw)).decode().lower()
    return "-".join(text[place : place + GROUP] for place in range(0, len(text), GROUP))


def read_recovery_key(text: str) -> Secret:
    """Read what somebody typed; spaces, hyphens and case do not matter. Raises RecoveryKeyRefused."""
    plain = NOISE.sub("", text).lower()
    if not FORM.fullmatch(plain):
        raise RecoveryKeyRefused
    raw = base64.b32decode(plain.upper())
    key, check = raw[:RECOVERY_KEY_BYTES], raw[RECOVERY_KEY_BYTES:]
    if not hmac.compare_digest(_check(key), check):
        raise RecoveryKeyRefused
    return Secret(key)


def _check(key: bytes) -> bytes:
    return sha256(context("recovery-key-check", key)).digest()[:CHECK_BYTES]


def wrap_for_recovery(
    private_key: Secret, key: Secret, pair: StoredKeyPair, *, pepper: Pepper, random_bytes: RandomBytes
) -> RecoveryKeyRecord:
    """Return what to store so that `key` opens the private key of `pair`."""
    place, pepper_version = (pair.suite, pair.user_id, pair.key_version), pepper.current
    inner = seal(_derive(key, "recovery-unlock-key", pair), private_key, context("recovery", *place), random_bytes)
    outer_context = context(PEPPERED_RECOVERY, *place, pepper_version)
    return RecoveryKeyRecord(
        user_id=pair.user_id,
        key_version=pair.key_version,
        key_commitment=_derive(key, "recovery-commitment", pair).reveal(),
        pepper_version=pepper_version,
        wrapped_private_key=seal(pepper.get_key(pepper_version), Secret(inner), outer_context, random_bytes),
    )


def unwrap_for_recovery(key: Secret, stored: StoredRecoveryKey, pair: StoredKeyPair, *, pepper: Pepper) -> Secret:
    """Open both layers and return the private key of `pair`.

    Raises RecoveryKeyRefused for another key, PepperVersionUnknown, or SealBroken when a record was altered or moved.
    """
    commitment = _derive(key, "recovery-commitment", pair).reveal()
    if not hmac.compare_digest(commitment, stored.key_commitment):
        raise RecoveryKeyRefused
    if (stored.user_id, stored.key_version) != (pair.user_id, pair.key_version):
        raise SealBroken
    place = (pair.suite, pair.user_id, pair.key_version)
    outer_context = context(PEPPERED_RECOVERY, *place, stored.pepper_version)
    inner = unseal(pepper.get_key(stored.pepper_version), stored.wrapped_private_key, outer_context)
    private_key = unseal(_derive(key, "recovery-unlock-key", pair), inner.reveal(), context("recovery", *place))
    if get_public_key(private_key) != read_public_key(pair):
        raise SealBroken
    return private_key


def _derive(key: Secret, purpose: str, pair: StoredKeyPair) -> Secret:
    info = context(purpose, pair.user_id, pair.key_version)
    return Secret(HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(key.reveal()))
