"""The stored key pairs of users: the public half in clear, the private half wrapped twice by the vault."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from psycopg.rows import class_row

from database.connect import Connection
from database.queries import load
from domain.errors import NotFound, VersionConflict

SQL = load("identity", "keypair.sql")


class NewKeyPair(Protocol):
    """A key pair as the vault makes it."""

    @property
    def key_version(self) -> int:
        """1 for the first."""
        ...

    @property
    def suite(self) -> str:
        """Which kind of key."""
        ...

    @property
    def public_key(self) -> bytes:
        """In clear."""
        ...

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits that name the public key."""
        ...

    @property
    def key_commitment(self) -> bytes:
        """32 bytes."""
        ...

    @property
    def pepper_version(self) -> int:
        """Which pepper wraps it."""
        ...

    @property
    def wrapped_private_key(self) -> bytes:
        """The blob."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A row of `user_keys`."""

    user_id: UUID
    key_version: int
    suite: str
    public_key: bytes
    fingerprint: str
    key_commitment: bytes = field(repr=False)
    pepper_version: int
    wrapped_private_key: bytes = field(repr=False)


async def store_key_pair(connection: Connection, user_id: UUID, key_pair: NewKeyPair, at: datetime) -> None:
    """Keep a user's new key pair, the present one from now on."""
    await connection.execute(
        SQL.insert_key_pair,
        {
            "user_id": user_id,
            "key_version": key_pair.key_version,
            "suite": key_pair.suite,
            "public_key": key_pair.public_key,
            "fingerprint": key_pair.fingerprint,
            "key_commitment": key_pair.key_commitment,
            "pepper_version": key_pair.pepper_version,
            "wrapped_private_key": key_pair.wrapped_private_key,
            "at": at,
        },
    )


async def get_key_pair(connection: Connection, user_id: UUID) -> KeyPair:
    """The present key pair of a user. Raises NotFound."""
    cursor = connection.cursor(row_factory=class_row(KeyPair))
    await cursor.execute(SQL.get_key_pair, (user_id,))
    key_pair = await cursor.fetchone()
    if key_pair is None:
        raise NotFound
    return key_pair


async def rewrap_key_pair(connection: Connection, key_pair: KeyPair, made: NewKeyPair) -> None:
    """Keep the same key pair under another password. Raises VersionConflict when it is not wrapped as it was read."""
    row = {
        "user_id": key_pair.user_id,
        "key_version": key_pair.key_version,
        "old_commitment": key_pair.key_commitment,
        "key_commitment": made.key_commitment,
        "pepper_version": made.pepper_version,
        "wrapped_private_key": made.wrapped_private_key,
    }
    if await (await connection.execute(SQL.rewrap_key_pair, row)).fetchone() is None:
        raise VersionConflict


async def replace_key_pair(connection: Connection, key_pair: KeyPair, made: NewKeyPair, at: datetime) -> None:
    """Retire a key pair for another one. Raises VersionConflict when it is not the present one any more."""
    row = {"user_id": key_pair.user_id, "key_version": key_pair.key_version, "at": at}
    if await (await connection.execute(SQL.retire_key_pair, row)).fetchone() is None:
        raise VersionConflict
    await store_key_pair(connection, key_pair.user_id, made, at)
