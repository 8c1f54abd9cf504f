"""Makes and checks what hangs on a password, in the threads behind the gate. Identity is given one at the start."""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from domain.ids import RandomBytes
from vault.gate import Gate
from vault.keypair import (
    KeyPairRecord,
    StoredKeyPair,
    WrongPassword,
    generate_private_key,
    unwrap_private_key,
    wrap_private_key,
)
from vault.password import PasswordCosts, PasswordRecord, StoredPassword, check_password, make_decoy, make_record
from vault.pepper import Pepper
from vault.sealing import context, seal, unseal
from vault.secret import Secret

FIRST_KEY_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """All that the server stores for a new password; neither half opens anything without the password."""

    password: PasswordRecord
    key_pair: KeyPairRecord


class Locksmith:
    """Password to keys, for enrolling, signing in and opening."""

    def __init__(self, *, pepper: Pepper, gate: Gate, costs: PasswordCosts, random_bytes: RandomBytes) -> None:
        """`costs` are those of new records; stored ones say their own."""
        self._pepper = pepper
        self._gate = gate
        self._costs = costs
        self._random_bytes = random_bytes
        self._decoy = make_decoy(costs)

    async def enrol(self, user_id: UUID, password: str) -> Enrolment:
        """Make the records of a new user. Raises UnfitPassword, TooManySignIns."""
        return await self._gate.run(partial(self._enrol, user_id, password))

    def _enrol(self, user_id: UUID, password: str) -> Enrolment:
        record, unlock_key = make_record(password, self._costs, self._random_bytes)
        key_pair = wrap_private_key(
            generate_private_key(self._random_bytes),
            user_id=user_id,
            key_version=FIRST_KEY_VERSION,
            unlock_key=unlock_key,
            pepper=self._pepper,
            random_bytes=self._random_bytes,
        )
        return Enrolment(password=record, key_pair=key_pair)

    async def admits(self, password: str, stored: StoredPassword | None) -> bool:
        """Whether `password` is the stored one; for None, somebody unknown, False after the same work.

        Raises TooManySignIns, UnfitPassword, UnsafeCost.
        """
        unlock_key = await self._gate.run(partial(check_password, password, stored or self._decoy))
        return stored is not None and unlock_key is not None

    async def rewrap(
        self, password: str, new_password: str, stored: StoredPassword, key_pair: StoredKeyPair
    ) -> Enrolment:
        """Make the records of a new password for the same key pair: nothing that it opens is lost.

        Raises WrongPassword, SealBroken, UnfitPassword, TooManySignIns.
        """
        return await self._gate.run(partial(self._rewrap, password, new_password, stored, key_pair))

    def _rewrap(self, password: str, new_password: str, stored: StoredPassword, key_pair: StoredKeyPair) -> Enrolment:
        unlock_key = check_password(password, stored)
        if unlock_key is None:
            raise WrongPassword
        private_key = unwrap_private_key(key_pair, unlock_key=unlock_key, pepper=self._pepper)
        record, new_unlock_key = make_record(new_password, self._costs, self._random_bytes)
        wrapped = wrap_private_key(
            private_key,
            user_id=key_pair.user_id,
            key_version=key_pair.key_version,
            unlock_key=new_unlock_key,
            pepper=self._pepper,
            random_bytes=self._random_bytes,
        )
        return Enrolment(password=record, key_pair=wrapped)

    async def open_private_key(self, password: str, stored: StoredPassword, key_pair: StoredKeyPair) -> Secret:
        """Return the private key, for signing or revealing. Raises WrongPassword, SealBroken, TooManySignIns."""
        unlock_key = await self._gate.run(partial(check_password, password, stored))
        if unlock_key is None:
            raise WrongPassword
        return unwrap_private_key(key_pair, unlock_key=unlock_key, pepper=self._pepper)

    def seal_seed(self, user_id: UUID, seed: bytes) -> tuple[int, bytes]:
        """Seal the secret of an authenticator app, which the program itself has to read: with the pepper alone."""
        version = self._pepper.current
        bound_to = context("totp-seed", user_id, version)
        return version, seal(self._pepper.get_key(version), Secret(seed), bound_to, self._random_bytes)

    def open_seed(self, user_id: UUID, pepper_version: int, sealed: bytes) -> bytes:
        """Open what `seal_seed` sealed for this user. Raises SealBroken, PepperVersionUnknown."""
        key = self._pepper.get_key(pepper_version)
        return unseal(key, sealed, context("totp-seed", user_id, pepper_version)).reveal()
