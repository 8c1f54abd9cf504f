"""Homes for installations that a test starts, and what is left of them."""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from database.facts import read_facts

SMALLEST_MEMORY_BYTES = 4 * 1024**3


@contextmanager
def own_home(prefix: str) -> Generator[Path]:
    """A home for the length of the block."""
    home = make_home(prefix)
    try:
        yield home
    finally:
        remove_home(home)


def make_home(prefix: str) -> Path:
    """A home that the server's account can reach, in memory where there is room: cloning a database there takes 20 ms
    instead of 100. No test rests on a disk; kills of processes lose nothing on either."""
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes it private
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > SMALLEST_MEMORY_BYTES
    home = Path(tempfile.mkdtemp(prefix=prefix, dir=memory if roomy else None))
    home.chmod(0o711)
    return home


def remove_home(home: Path) -> None:
    """With what lies elsewhere because of the account of the server or the length of a path."""
    embedded = read_facts(home).embedded
    if embedded is not None:
        for folder in (embedded.root, embedded.socket_dir):
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)
