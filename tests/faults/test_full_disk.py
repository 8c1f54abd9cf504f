"""The disk fills up while clients work: they are refused, nothing they were told is lost, and once there is room again
everything goes on by itself.
"""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest

from database.postgres import EmbeddedServer
from tests.eventstore.running import in_loop
from tests.faults.api_process import ApiProcess
from tests.faults.sellers import CLIENTS, Sellers, check_answers, check_log, doubts, sellers_at_work
from tests.home import make_home, remove_home

DISK_SIZE = "192m"
STRIKE_SECONDS = 20.0


@pytest.fixture
def home() -> Generator[Path]:
    """On a small disk of its own, in memory."""
    folder = make_home("escrow-small-")
    with_mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_SIZE},mode=711", "tmpfs", str(folder)]
    done = subprocess.run(with_mount, capture_output=True, text=True, check=False) if os.geteuid() == 0 else None
    if done is None or done.returncode != 0:
        folder.rmdir()
        pytest.skip(f"a disk of its own has to be mounted: {'not root' if done is None else done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607
    remove_home(folder)


@pytest.mark.guarantee("G4", faults="the disk is full to the last page, then has room again", runs="1 time")
@in_loop
async def test_a_full_disk_loses_nothing_acknowledged(victim: EmbeddedServer, api: ApiProcess, tmp_path: Path) -> None:
    await fill_under_load(victim, api, tmp_path / "journal", times=1)


@pytest.mark.guarantee("G4", faults="the same", runs="3 times")
@pytest.mark.soak
@in_loop
async def test_three_full_disks_lose_nothing_acknowledged(
    victim: EmbeddedServer, api: ApiProcess, tmp_path: Path
) -> None:
    await fill_under_load(victim, api, tmp_path / "journal", times=3)


async def fill_under_load(server: EmbeddedServer, api: ApiProcess, path: Path, *, times: int) -> None:
    async with sellers_at_work(server, [api], path) as sellers:
        for _ in range(times):
            await strike(server.home / "filler", path, sellers)
            await sellers.is_served()
    assert doubts(path).keys() == {"503"}, doubts(path)
    check_answers(path, server)
    check_log(server)


async def strike(filler: Path, journal: Path, sellers: Sellers) -> None:
    """Take all the room there is until clients are refused, and give it back."""
    before, until = doubts(journal)["503"], time.monotonic() + STRIKE_SECONDS
    try:
        while doubts(journal)["503"] < before + CLIENTS:
            assert not sellers.working.done(), sellers.working.exception()
            assert time.monotonic() < until, "nobody was refused"
            await asyncio.to_thread(fill, filler)
            await asyncio.sleep(0.1)
    finally:
        await asyncio.to_thread(filler.unlink)


def fill(filler: Path) -> None:
    """To the last page, also of what was freed since; the server may be faster."""
    with filler.open("ab") as file, suppress(OSError):
        while free := shutil.disk_usage(filler.parent).free:
            os.posix_fallocate(file.fileno(), file.tell(), free)
            file.seek(0, os.SEEK_END)
