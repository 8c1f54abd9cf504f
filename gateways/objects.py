"""Where uploaded files lie: a folder outside anything that is served.

Names come from owner and SHA-256 alone, never from a client, so nothing that is sent can choose a place. A file is
complete and durable under its name, or it is not there.
"""

import asyncio
import hashlib
import os
import re
import secrets
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from domain.errors import EscrowError

SHA256 = re.compile(r"[0-9a-f]{64}")
MOST_DRAFTS = 8
STALE_SECONDS = 3600.0
PIECE_BYTES = 256 * 1024


class StorageUnavailable(EscrowError):
    """Files cannot be stored or read at the moment; nothing was changed, try again later."""

    code = "storage_unavailable"
    status = 503


class StorageBusy(StorageUnavailable):
    """Too many files are being sent at once; nothing was changed, try again in a moment."""

    code = "storage_busy"


class FileUnavailable(EscrowError):
    """The file is not in the storage, or is not what was put there; it has to come back from a backup."""

    code = "file_unavailable"
    status = 503


class Draft:
    """A file that is being written; it stays only if it is kept."""

    def __init__(self, path: Path) -> None:
        """Begin an empty file that nobody else can read."""
        self.path = path
        self.size_bytes = 0
        self._digest = hashlib.sha256()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._file = os.fdopen(descriptor, "wb")

    @property
    def sha256(self) -> str:
        """Return the hash of what was written, in hexadecimal."""
        return self._digest.hexdigest()

    async def write(self, data: bytes) -> None:
        """Append, so that it can be read. Raises StorageUnavailable, for instance on a full disk."""
        await asyncio.to_thread(self._write, data)

    async def finish(self) -> None:
        """Make all of it durable. Raises StorageUnavailable."""
        await asyncio.to_thread(self._finish)

    def close(self) -> None:
        """Let go of the file."""
        with suppress(OSError):
            self._file.close()

    def _write(self, data: bytes) -> None:
        with storing():
            self._file.write(data)
            self._file.flush()
        self._digest.update(data)
        self.size_bytes += len(data)

    def _finish(self) -> None:
        with storing():
            os.fsync(self._file.fileno())


class Folder:
    """Files in `<folder>/objects/<owner>/<sha256>`, readable by the program's own user alone.

    Keeping the same file of one owner twice is keeping it once.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is made before the first file comes."""
        self._objects = folder / "objects"
        self._drafts = folder / "drafts"
        self._open_drafts = 0

    @asynccontextmanager
    async def draft(self) -> AsyncGenerator[Draft]:
        """Give a file to write to; it is gone afterwards unless it was kept.

        Raises StorageUnavailable, and StorageBusy while eight are open: each may grow to the largest size.
        """
        if self._open_drafts >= MOST_DRAFTS:
            raise StorageBusy
        self._open_drafts += 1
        try:
            draft = await asyncio.to_thread(self._begin)
            try:
                yield draft
            finally:
                draft.close()
                await asyncio.to_thread(draft.path.unlink, missing_ok=True)
        finally:
            self._open_drafts -= 1

    async def keep(self, draft: Draft, owner_id: UUID) -> None:
        """Store what was written, durably; a file that was damaged since is mended by it. Raises StorageUnavailable."""
        await draft.finish()
        await asyncio.to_thread(self._keep, draft.path, self._path_of(owner_id, draft.sha256))

    async def open(self, owner_id: UUID, sha256: str) -> BinaryIO:
        """Return the file after all of it was compared with its hash, for the caller to close.

        Raises FileUnavailable, StorageUnavailable.
        """
        return await asyncio.to_thread(_open_verified, self._path_of(owner_id, sha256), sha256)

    async def remove(self, owner_id: UUID, sha256: str) -> None:
        """Delete one file; nothing happens when it is not there. Raises StorageUnavailable."""
        with storing():
            await asyncio.to_thread(self._path_of(owner_id, sha256).unlink, missing_ok=True)

    async def remove_all(self, owner_id: UUID) -> None:
        """Delete everything of one owner. Raises StorageUnavailable."""
        await asyncio.to_thread(_remove_folder, self._objects / str(owner_id))

    def _path_of(self, owner_id: UUID, sha256: str) -> Path:
        if not SHA256.fullmatch(sha256):
            raise ValueError("not a SHA-256")
        return self._objects / str(owner_id) / sha256

    def _begin(self) -> Draft:
        with storing():
            _make_folder(self._drafts)
            self._clear_drafts()
            return Draft(self._drafts / secrets.token_hex(16))

    def _clear_drafts(self) -> None:
        """What a process that was killed has left behind grows no more."""
        for path in self._drafts.iterdir():
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > STALE_SECONDS:
                    path.unlink()

    def _keep(self, draft: Path, final: Path) -> None:
        with storing():
            _make_folder(final.parent)
            draft.replace(final)
            for folder in (final.parent, self._objects, self._objects.parent):
                _sync_folder(folder)


@contextmanager
def storing() -> Generator[None]:
    """Raise StorageUnavailable for whatever the file system cannot do."""
    try:
        yield
    except OSError as error:
        raise StorageUnavailable from error


def _make_folder(folder: Path) -> None:
    for each in (*reversed(folder.parents), folder):
        if not each.exists():
            each.mkdir(mode=0o700, exist_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_folder(folder: Path) -> None:
    with storing():
        for path in list(folder.iterdir()) if folder.exists() else []:
            path.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            folder.rmdir()


def _open_verified(path: Path, sha256: str) -> BinaryIO:
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb")
    except FileNotFoundError:
        raise FileUnavailable from None
    except OSError as error:
        raise StorageUnavailable from error
    digest = hashlib.sha256()
    with storing():
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
        file.seek(0)
    if digest.hexdigest() != sha256:
        file.close()
        raise FileUnavailable
    return file
