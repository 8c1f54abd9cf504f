"""Files that people send: the bytes in the storage, whose they are and what they are called in an erasable table.

A file lies there as long as one row names it; both change together, under a lock of its owner and hash.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from database.connect import Connection, Pool
from database.queries import load
from gateways.objects import Draft, Folder
from identity.erasure import require_unlocked

SQL = load("api.files", "stored_file.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A row of `stored_files`; `name` is only for showing."""

    file_id: UUID
    owner_id: UUID
    sha256: str
    media_type: str
    size_bytes: int
    name: str


async def keep_file(pool: Pool, objects: Folder, draft: Draft, file: StoredFile, at: datetime) -> None:
    """Keep a file, durably, before the event that names it. Raises NotSignedIn where its owner was locked meanwhile."""
    async with pool.connection() as connection, connection.transaction():
        await require_unlocked(connection, file.owner_id)
        await _lock(connection, file.owner_id, file.sha256)
        await connection.execute(
            SQL.insert_file,
            {
                "file_id": file.file_id,
                "owner_id": file.owner_id,
                "sha256": file.sha256,
                "media_type": file.media_type,
                "size_bytes": file.size_bytes,
                "name": file.name,
                "at": at,
            },
        )
        await objects.keep(draft, file.owner_id)


async def mend_file(pool: Pool, objects: Folder, draft: Draft, file: StoredFile) -> None:
    """Put a file that was sent before in its place once more, unless it was erased. Raises as `keep_file` does."""
    async with pool.connection() as connection, connection.transaction():
        await require_unlocked(connection, file.owner_id)
        await _lock(connection, file.owner_id, file.sha256)
        if await _is_needed(connection, file.owner_id, file.sha256):
            await objects.keep(draft, file.owner_id)


async def erase_file(pool: Pool, objects: Folder, file_id: UUID, at: datetime) -> None:
    """Forget what a file was called, and delete it unless it is needed under another id; a repeat changes nothing."""
    async with pool.connection() as connection, connection.transaction():
        cursor = await connection.execute(SQL.find_file, (file_id,))
        row = await cursor.fetchone()
        if row is None:
            return
        owner_id, sha256 = cast("tuple[UUID, str]", row)
        await _lock(connection, owner_id, sha256)
        await connection.execute(SQL.erase_file, {"file_id": file_id, "at": at})
        if not await _is_needed(connection, owner_id, sha256):
            await objects.remove(owner_id, sha256)


async def erase_files_of(pool: Pool, objects: Folder, owner_id: UUID, at: datetime) -> None:
    """Forget and delete everything that one person has sent."""
    async with pool.connection() as connection, connection.transaction():
        await connection.execute(SQL.erase_files_of, {"owner_id": owner_id, "at": at})
        await objects.remove_all(owner_id)


async def read_names(pool: Pool, file_ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """Return what files are called that nobody has erased."""
    async with pool.connection() as connection:
        cursor = await connection.execute(SQL.read_names, (list(file_ids),))
        return dict(cast("list[tuple[UUID, str]]", await cursor.fetchall()))


async def _lock(connection: Connection, owner_id: UUID, sha256: str) -> None:
    await connection.execute(SQL.lock, (f"{owner_id} {sha256}",))


async def _is_needed(connection: Connection, owner_id: UUID, sha256: str) -> bool:
    cursor = await connection.execute(SQL.is_needed, (owner_id, sha256))
    return await cursor.fetchone() == (True,)
