"""The stored half of recovery keys: the private key once more, under a key that only a paper holds."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from psycopg.rows import class_row

from database.connect import Connection
from database.queries import load
from domain.errors import VersionConflict

SQL = load("identity", "recovery_key.sql")


class NewRecoveryKey(Protocol):
    """A record as the vault makes it."""

    @property
    def user_id(self) -> UUID:
        """The owner."""
        ...

    @property
    def key_version(self) -> int:
        """Which key pair it opens."""
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
class RecoveryKey:
    """A row of `user_recovery_keys`."""

    user_id: UUID
    key_version: int
    key_commitment: bytes = field(repr=False)
    pepper_version: int
    wrapped_private_key: bytes = field(repr=False)
    created_at: datetime


async def store_recovery_key(connection: Connection, made: NewRecoveryKey, at: datetime) -> None:
    """Keep it instead of the one before. Raises VersionConflict when the key pair is not the present one any more."""
    row = {
        "user_id": made.user_id,
        "key_version": made.key_version,
        "key_commitment": made.key_commitment,
        "pepper_version": made.pepper_version,
        "wrapped_private_key": made.wrapped_private_key,
        "at": at,
    }
    if await (await connection.execute(SQL.upsert_recovery_key, row)).fetchone() is None:
        raise VersionConflict


async def find_recovery_key(connection: Connection, user_id: UUID) -> RecoveryKey | None:
    """The one of a user, if there is one."""
    cursor = connection.cursor(row_factory=class_row(RecoveryKey))
    await cursor.execute(SQL.find_recovery_key, (user_id,))
    return await cursor.fetchone()


async def delete_recovery_key(connection: Connection, user_id: UUID) -> None:
    """Revoke it: the paper opens nothing any more. Idempotent."""
    await connection.execute(SQL.delete_recovery_key, (user_id,))
