"""Makes and checks what hangs on a password, in the threads behind the gate. Identity is given one at the start."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from database.connect import Connection
from domain.ids import RandomBytes
from vault.canary import open_canary
from vault.door import Door
from vault.gate import Gate
from vault.keypair import (
    KeyPairRecord,
    StoredKeyPair,
    WrongPassword,
    generate_private_key,
    unwrap_private_key,
    wrap_private_key,
)
from vault.password import (
    PasswordCosts,
    PasswordRecord,
    StoredPassword,
    check_password,
    get_cost,
    make_decoy,
    make_record,
    read_cost,
)
from vault.pepper import Pepper
from vault.recovery_key import (
    RECOVERY_KEY_BYTES,
    RecoveryKeyRecord,
    StoredRecoveryKey,
    print_recovery_key,
    read_recovery_key,
    unwrap_for_recovery,
    wrap_for_recovery,
)
from vault.sealing import context, seal, unseal
from vault.secret import Secret

FIRST_KEY_VERSION = 1
PEPPERED_SEED = "totp-seed"
"""What the secret of an authenticator app is bound to, with its owner; the pepper is its only layer."""


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
        self._door = Door(gate.places)

    async def enrol(self, user_id: UUID, password: str, *, key_version: int = FIRST_KEY_VERSION) -> Enrolment:
        """Make the records of a new user, or of one who begins anew. Raises UnfitPassword, TooManySignIns."""
        private_key = generate_private_key(self._random_bytes)
        return await self._gate.run(partial(self._wrap, private_key, user_id, key_version, password))

    def _wrap(self, private_key: Secret, user_id: UUID, key_version: int, password: str) -> Enrolment:
        record, unlock_key = make_record(password, self._costs, self._random_bytes)
        key_pair = wrap_private_key(
            private_key,
            user_id=user_id,
            key_version=key_version,
            unlock_key=unlock_key,
            pepper=self._pepper,
            random_bytes=self._random_bytes,
        )
        return Enrolment(password=record, key_pair=key_pair)

    def enter(self, device: bytes | None) -> AbstractContextManager[None]:
        """Have a place for a sign-in, a registration or a reset, before the database is asked anything.

        Raises TooManySignIns.
        """
        return self._door.enter(device)

    async def admits(self, password: str, stored: StoredPassword | None) -> bool:
        """Whether `password` is the stored one; for None, somebody unknown, False after the same work.

        Raises TooManySignIns, UnfitPassword, UnsafeCost.
        """
        unlock_key = await self._gate.run(partial(check_password, password, stored or self._decoy))
        return stored is not None and unlock_key is not None

    def is_outdated(self, stored: StoredPassword) -> bool:
        """Whether a record of today costs more in something, and less in nothing."""
        stretch, verifier = get_cost(stored), read_cost(stored.verifier)
        if not (self._costs.stretch.is_at_least(stretch) and self._costs.verifier.is_at_least(verifier)):
            return False
        return (stretch, verifier) != (self._costs.stretch, self._costs.verifier)

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
        return self._wrap(private_key, key_pair.user_id, key_pair.key_version, new_password)

    async def open_private_key(self, password: str, stored: StoredPassword, key_pair: StoredKeyPair) -> Secret:
        """Return the private key, for signing or revealing. Raises WrongPassword, SealBroken, TooManySignIns."""
        unlock_key = await self._gate.run(partial(check_password, password, stored))
        if unlock_key is None:
            raise WrongPassword
        return unwrap_private_key(key_pair, unlock_key=unlock_key, pepper=self._pepper)

    async def make_recovery_key(
        self, password: str, stored: StoredPassword, key_pair: StoredKeyPair
    ) -> tuple[str, RecoveryKeyRecord]:
        """Return a new recovery key as it is printed, and what to store of it.

        Raises WrongPassword, SealBroken, TooManySignIns.
        """
        private_key = await self.open_private_key(password, stored, key_pair)
        key = Secret(self._random_bytes(RECOVERY_KEY_BYTES))
        record = wrap_for_recovery(private_key, key, key_pair, pepper=self._pepper, random_bytes=self._random_bytes)
        return print_recovery_key(key), record

    async def recover(
        self, recovery_key: str, new_password: str, stored: StoredRecoveryKey, key_pair: StoredKeyPair
    ) -> Enrolment:
        """Make the records of a new password for the same key pair, which the recovery key opens.

        Raises RecoveryKeyRefused, SealBroken, UnfitPassword, TooManySignIns.
        """
        private_key = unwrap_for_recovery(read_recovery_key(recovery_key), stored, key_pair, pepper=self._pepper)
        return await self._gate.run(
            partial(self._wrap, private_key, key_pair.user_id, key_pair.key_version, new_password)
        )

    async def open_canary(self, connection: Connection) -> None:
        """Open the canary of the vault. Raises what `vault.canary.open_canary` raises."""
        await open_canary(connection, self._pepper, self._random_bytes)

    def derive_shared_key(self) -> bytes:
        """Return the key that all processes of this installation share, with a pepper of the same version."""
        return self._pepper.derive_shared_key()

    def seal_seed(self, user_id: UUID, seed: bytes) -> tuple[int, bytes]:
        """Seal the secret of an authenticator app, which the program itself has to read: with the pepper alone."""
        version = self._pepper.current
        bound_to = context(PEPPERED_SEED, user_id, version)
        return version, seal(self._pepper.get_key(version), Secret(seed), bound_to, self._random_bytes)

    def open_seed(self, user_id: UUID, pepper_version: int, sealed: bytes) -> bytes:
        """Open what `seal_seed` sealed for this user. Raises SealBroken, PepperVersionUnknown."""
        key = self._pepper.get_key(pepper_version)
        return unseal(key, sealed, context(PEPPERED_SEED, user_id, pepper_version)).reveal()
