"""From a password to the two keys that it stands for, and the check of one of them.

password -Argon2id-> 32-byte PRK -HKDF-SHA256-> auth key (proves the person) and unlock key (opens the private key).
The server keeps the salt, the cost and an Argon2id hash of the auth key; the unlock key is never stored.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final, Protocol

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.errors import EscrowError, Invalid
from domain.ids import RandomBytes
from vault.sealing import KEY_BYTES, context
from vault.secret import Secret

SALT_BYTES = 16
SHORTEST_PASSWORD = 8
"""In characters: NIST SP 800-63B-4 §3.1.1.2, for a password that is not the only safeguard."""
LONGEST_PASSWORD = 1024
"""In bytes of UTF-8."""


class UnfitPassword(Invalid):
    """A password has 8 characters or more, at most 1024 bytes, and no NUL."""

    code = "unfit_password"


class UnsafeCost(EscrowError):
    """A stored password record demands less work than the built-in floor, or more than this server would ever do."""

    code = "unsafe_password_cost"
    status = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Argon2Cost:
    """How much work Argon2id does: `memory_kib`, passes over it, and lanes (RFC 9106 m, t and p)."""

    memory_kib: int
    iterations: int
    lanes: int

    def is_at_least(self, other: "Argon2Cost") -> bool:
        """Whether no dimension is below that of `other`."""
        return self.memory_kib >= other.memory_kib and self.iterations >= other.iterations and self.lanes >= other.lanes


FLOOR: Final = Argon2Cost(memory_kib=19 * 1024, iterations=2, lanes=1)
"""The least that is ever accepted from a record, so that nobody who can write rows can make guessing cheap (OWASP)."""
CEILING: Final = Argon2Cost(memory_kib=1024 * 1024, iterations=16, lanes=8)
"""The most, so that nobody who can write rows can exhaust the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordCosts:
    """What new records cost: `stretch` from the password to the PRK, `verifier` from the auth key to its hash."""

    stretch: Argon2Cost
    verifier: Argon2Cost


RECOMMENDED: Final = PasswordCosts(
    stretch=Argon2Cost(memory_kib=64 * 1024, iterations=3, lanes=1),
    verifier=FLOOR,
)


class StoredPassword(Protocol):
    """What the database keeps of a password: enough to check it, nothing that opens anything."""

    @property
    def salt(self) -> bytes:
        """16 random bytes of the password's own."""
        ...

    @property
    def memory_kib(self) -> int:
        """Cost of the stretch."""
        ...

    @property
    def iterations(self) -> int:
        """Cost of the stretch."""
        ...

    @property
    def lanes(self) -> int:
        """Cost of the stretch."""
        ...

    @property
    def verifier(self) -> str:
        """Argon2id of the auth key as a PHC string."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordRecord:
    """A `StoredPassword` as it is made."""

    salt: bytes = field(repr=False)
    memory_kib: int
    iterations: int
    lanes: int
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordKeys:
    """Both keys of a password, 32 bytes each."""

    auth_key: Secret
    unlock_key: Secret


def normalise(password: str) -> Secret:
    """NFC and UTF-8 (RFC 8265 OpaqueString), so that two keyboards type the same password.

    Raises UnfitPassword for NUL, lone surrogates, nothing at all, or more than 1024 bytes.
    """
    if len(password) > LONGEST_PASSWORD:
        raise UnfitPassword
    try:
        encoded = unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        raise UnfitPassword from None
    if not encoded or b"\0" in encoded or len(encoded) > LONGEST_PASSWORD:
        raise UnfitPassword
    return Secret(encoded)


def check_new_password(password: str) -> None:
    """Raise UnfitPassword for one that may not be chosen; one chosen under older rules still signs in."""
    if len(normalise(password).reveal().decode()) < SHORTEST_PASSWORD:
        raise UnfitPassword


def derive_keys(password: str, salt: bytes, cost: Argon2Cost) -> PasswordKeys:
    """Do the stretch and return both keys. Raises UnsafeCost before any work, UnfitPassword for what none can be."""
    _check_cost(cost)
    prk = _argon2(salt, cost).derive(normalise(password).reveal())
    return PasswordKeys(auth_key=_expand(prk, "auth-key"), unlock_key=_expand(prk, "unlock-key"))


def _expand(prk: bytes, purpose: str) -> Secret:
    # Extract-and-expand with an empty salt, though the PRK is uniform already: a browser's WebCrypto offers only that.
    return Secret(HKDF(SHA256(), KEY_BYTES, salt=None, info=context(purpose)).derive(prk))


def _argon2(salt: bytes, cost: Argon2Cost) -> Argon2id:
    return Argon2id(
        salt=salt, length=KEY_BYTES, iterations=cost.iterations, lanes=cost.lanes, memory_cost=cost.memory_kib
    )


def _check_cost(cost: Argon2Cost) -> None:
    if not (cost.is_at_least(FLOOR) and CEILING.is_at_least(cost)):
        raise UnsafeCost


def make_record(password: str, costs: PasswordCosts, random_bytes: RandomBytes) -> tuple[PasswordRecord, Secret]:
    """Return what to store for a new password, and its unlock key for wrapping the private key at once."""
    check_new_password(password)
    salt = random_bytes(SALT_BYTES)
    keys = derive_keys(password, salt, costs.stretch)
    record = PasswordRecord(
        salt=salt,
        memory_kib=costs.stretch.memory_kib,
        iterations=costs.stretch.iterations,
        lanes=costs.stretch.lanes,
        verifier=make_verifier(keys.auth_key, costs.verifier, random_bytes),
    )
    return record, keys.unlock_key


def make_verifier(auth_key: Secret, cost: Argon2Cost, random_bytes: RandomBytes) -> str:
    """Hash the auth key once more, so that a stolen table does not sign in; a PHC string. Raises UnsafeCost."""
    _check_cost(cost)
    return _argon2(random_bytes(SALT_BYTES), cost).derive_phc_encoded(auth_key.reveal())


def is_verified(auth_key: Secret, verifier: str) -> bool:
    """Compare in constant time. Raises UnsafeCost for a PHC string that is not Argon2id within floor and ceiling."""
    _check_cost(read_cost(verifier))
    try:
        Argon2id.verify_phc_encoded(auth_key.reveal(), verifier)
    except (InvalidKey, ValueError):
        return False
    return True


def read_cost(verifier: str) -> Argon2Cost:
    """The cost that a PHC string was made with. Raises UnsafeCost for one that is not Argon2id."""
    found = re.match(r"\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,4}),p=(\d{1,3})\$", verifier, re.ASCII)
    if not found:
        raise UnsafeCost
    memory_kib, iterations, lanes = (int(number) for number in found.groups())
    return Argon2Cost(memory_kib=memory_kib, iterations=iterations, lanes=lanes)


def get_cost(stored: StoredPassword) -> Argon2Cost:
    """The cost of the stretch that `stored` was made with."""
    return Argon2Cost(memory_kib=stored.memory_kib, iterations=stored.iterations, lanes=stored.lanes)


def check_password(password: str, stored: StoredPassword) -> Secret | None:
    """Return the unlock key when `password` is the one of `stored`, else None. Raises UnsafeCost."""
    keys = derive_keys(password, stored.salt, get_cost(stored))
    return keys.unlock_key if is_verified(keys.auth_key, stored.verifier) else None


def make_decoy(costs: PasswordCosts) -> PasswordRecord:
    """A record that no password opens and that costs what a real one does, for people who do not exist."""
    cost = f"m={costs.verifier.memory_kib},t={costs.verifier.iterations},p={costs.verifier.lanes}"
    return PasswordRecord(
        salt=bytes(SALT_BYTES),
        memory_kib=costs.stretch.memory_kib,
        iterations=costs.stretch.iterations,
        lanes=costs.stretch.lanes,
        verifier=f"$argon2id$v=19${cost}${'A' * 22}${'A' * 43}",
    )
