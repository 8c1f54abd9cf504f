"""What is stored of a password, and what identity needs of the vault, which it may not import.

Whoever starts the program passes a `vault.locksmith.Locksmith`; it fits the protocols below.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from psycopg.rows import class_row

from database.connect import Connection
from database.queries import load
from domain.errors import NotFound, VersionConflict
from identity.keypair import KeyPair, NewKeyPair
from identity.turn import take_turn

SQL = load("identity", "password.sql")


class NewPassword(Protocol):
    """A salt, the cost of Argon2id, and the hash of the auth key."""

    @property
    def salt(self) -> bytes:
        """16 bytes."""
        ...

    @property
    def memory_kib(self) -> int:
        """Argon2id's m."""
        ...

    @property
    def iterations(self) -> int:
        """Argon2id's t."""
        ...

    @property
    def lanes(self) -> int:
        """Argon2id's p."""
        ...

    @property
    def verifier(self) -> str:
        """A PHC string."""
        ...


class Enrolment(Protocol):
    """What is stored for a new user."""

    @property
    def password(self) -> NewPassword:
        """For `user_passwords`."""
        ...

    @property
    def key_pair(self) -> NewKeyPair:
        """For `user_keys`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    """A row of `user_passwords`; it opens nothing, but whoever has it can test guesses, so `repr` leaves it out."""

    user_id: UUID
    salt: bytes = field(repr=False)
    memory_kib: int
    iterations: int
    lanes: int
    verifier: str = field(repr=False)


class Locksmith(Protocol):
    """The part of the vault that makes and checks what hangs on a password; it says there what each method raises."""

    async def enrol(self, user_id: UUID, password: str) -> Enrolment:
        """Make the records of a new user."""
        ...

    def is_outdated(self, stored: Password) -> bool:
        """Whether a record of today would be harder to guess from."""
        ...

    async def rewrap(self, password: str, new_password: str, stored: Password, key_pair: KeyPair) -> Enrolment:
        """Make the records of a new password for the same key pair."""
        ...

    def enter(self, device: bytes | None) -> AbstractContextManager[None]:
        """Have a place where Argon2 works; a known device has better ones than a stranger."""
        ...

    async def admits(self, password: str, stored: Password | None) -> bool:
        """Whether this is the password; None stands for somebody unknown and takes the same time."""
        ...


async def store_password(connection: Connection, user_id: UUID, password: NewPassword, at: datetime) -> None:
    """Keep what a new user's password is checked with."""
    await connection.execute(SQL.insert_password, _row_of(user_id, password, at))


async def replace_password(
    connection: Connection, user_id: UUID, password: NewPassword, at: datetime, *, shown: Password | None
) -> None:
    """Keep a new one. Raises VersionConflict when it is not the password any more that the user has `shown`.

    None: the user has proved himself otherwise, and the password is replaced whatever it was.
    """
    row = {**_row_of(user_id, password, at), "shown": None if shown is None else shown.verifier}
    if await (await connection.execute(SQL.replace_password, row)).fetchone() is None:
        raise VersionConflict


def _row_of(user_id: UUID, password: NewPassword, at: datetime) -> dict[str, object]:
    return {
        "user_id": user_id,
        "salt": password.salt,
        "memory_kib": password.memory_kib,
        "iterations": password.iterations,
        "lanes": password.lanes,
        "verifier": password.verifier,
        "at": at,
    }


async def get_password(connection: Connection, user_id: UUID) -> Password:
    """What a user's password is checked with, for signing and revealing. Raises NotFound."""
    cursor = connection.cursor(row_factory=class_row(Password))
    await cursor.execute(SQL.get_password, (user_id,))
    password = await cursor.fetchone()
    if password is None:
        raise NotFound
    return password


async def find_password(connection: Connection, email: str) -> Password | None:
    """The same by normalised e-mail, for signing in; None for somebody unknown or disabled."""
    cursor = connection.cursor(row_factory=class_row(Password))
    await cursor.execute(SQL.find_password, (email,))
    return await cursor.fetchone()


async def hold_password(connection: Connection, user_id: UUID) -> Password | None:
    """The same by user, after every change that is being made; none is made until the transaction ends.

    Only making it cost more, which leaves it the same password, takes no turn. None for somebody disabled meanwhile.
    """
    await take_turn(connection, user_id)
    cursor = connection.cursor(row_factory=class_row(Password))
    await cursor.execute(SQL.get_present_password, (user_id,))
    return await cursor.fetchone()
