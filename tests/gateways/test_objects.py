"""The folder of uploaded files: complete or not there, under names that nobody can choose, and what was put there."""

import asyncio
import hashlib
import os
import resource
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from gateways.objects import MOST_DRAFTS, FileUnavailable, Folder, StorageBusy, StorageUnavailable

OWNER, OTHER = UUID(int=1), UUID(int=2)
DATA = b"a picture " * 100_000
SHA256 = hashlib.sha256(DATA).hexdigest()


async def put(folder: Folder, data: bytes = DATA, owner_id: UUID = OWNER) -> str:
    async with folder.draft() as draft:
        for start in range(0, len(data), 65_536):
            await draft.write(data[start : start + 65_536])
        await folder.keep(draft, owner_id)
        assert draft.size_bytes == len(data)
        return draft.sha256


async def get(folder: Folder, sha256: str, owner_id: UUID = OWNER) -> bytes:
    with await folder.open(owner_id, sha256) as file:
        return file.read()


def names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_what_was_kept_is_there_for_its_owner_alone(tmp_path: Path):
    async def run() -> None:
        folder = Folder(tmp_path)
        assert await put(folder) == SHA256 == await put(folder)
        assert await get(folder, SHA256) == DATA
        with pytest.raises(FileUnavailable):
            await folder.open(OTHER, SHA256)

    asyncio.run(run())
    assert names(tmp_path) == [f"objects/{OWNER}/{SHA256}"]
    for path in tmp_path.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_what_was_not_kept_is_gone(tmp_path: Path):
    async def run() -> None:
        folder = Folder(tmp_path)
        left = folder.draft()
        draft = await left.__aenter__()
        await draft.write(b"half a fi")
        assert await left.__aexit__(ZeroDivisionError, ZeroDivisionError(), None) is False
        async with folder.draft() as draft:
            await draft.write(b"refused")

    asyncio.run(run())
    assert names(tmp_path) == []


def test_a_file_that_was_changed_is_not_given_out_and_is_mended_by_the_next_upload(tmp_path: Path):
    async def run() -> None:
        folder = Folder(tmp_path)
        await put(folder)
        path = tmp_path / "objects" / str(OWNER) / SHA256
        path.write_bytes(DATA[:-1] + b"!")
        with pytest.raises(FileUnavailable):
            await folder.open(OWNER, SHA256)
        await put(folder)
        assert await get(folder, SHA256) == DATA

    asyncio.run(run())


def test_a_link_is_not_followed(tmp_path: Path):
    async def run() -> None:
        folder = Folder(tmp_path)
        await put(folder)
        path = tmp_path / "objects" / str(OWNER) / SHA256
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(StorageUnavailable):
            await folder.open(OWNER, SHA256)

    asyncio.run(run())


def test_a_name_that_is_no_hash_never_reaches_the_disk(tmp_path: Path):
    async def run() -> None:
        for name in ("../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\0", ""):
            with pytest.raises(ValueError, match="SHA-256"):
                await Folder(tmp_path).open(OWNER, name)

    asyncio.run(run())


def test_removing_twice_is_removing_once_and_all_of_one_owner_leaves_the_others(tmp_path: Path):
    async def run() -> None:
        folder = Folder(tmp_path)
        mine, more, theirs = await put(folder), await put(folder, b"more"), await put(folder, owner_id=OTHER)
        for _ in range(2):
            await folder.remove(OWNER, mine)
        with pytest.raises(FileUnavailable):
            await folder.open(OWNER, mine)
        for _ in range(2):
            await folder.remove_all(OWNER)
        with pytest.raises(FileUnavailable):
            await folder.open(OWNER, more)
        assert await get(folder, theirs, OTHER) == DATA

    asyncio.run(run())


def test_only_so_many_are_written_at_once(tmp_path: Path):
    async def run() -> None:
        folder = Folder(tmp_path)
        drafts = [folder.draft() for _ in range(MOST_DRAFTS)]
        for each in drafts:
            await each.__aenter__()
        with pytest.raises(StorageBusy):
            await folder.draft().__aenter__()
        for each in drafts:
            await each.__aexit__(None, None, None)
        await put(folder)

    asyncio.run(run())


def test_what_a_killed_process_left_behind_is_cleared_away(tmp_path: Path):
    (tmp_path / "drafts").mkdir()
    left, fresh = tmp_path / "drafts" / "left", tmp_path / "drafts" / "fresh"
    for path in (left, fresh):
        path.write_bytes(b"half")
    os.utime(left, (time.time() - 7_200, time.time() - 7_200))
    asyncio.run(put(Folder(tmp_path)))
    assert [path.name for path in (tmp_path / "drafts").iterdir()] == ["fresh"]


@contextmanager
def largest_file(size_bytes: int) -> Generator[None]:
    """Nobody in this process can write more into one file than that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_takes_no_more_is_no_defect(tmp_path: Path):
    async def run() -> None:
        folder = Folder(tmp_path)
        async with folder.draft() as draft:
            with largest_file(len(DATA) // 2), pytest.raises(StorageUnavailable):
                await draft.write(DATA)
        assert names(tmp_path) == []

    asyncio.run(run())
