"""The high-water mark: how far this log was acted upon, kept outside the database, so that a restore shows.

A log that was set back forgets what it has ordered. Only something that was not restored with it can tell: a file in
ESCROW_HOME with the newest position before the last payment, and the hash of the event that stood there.
"""

import asyncio
import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, cast

from database.connect import Pool
from database.private_file import replace_private_file
from database.queries import load
from domain.errors import EscrowError
from domain.restore import RestoreCause
from projections.page import fetch_one

SQL = load("reactions", "watermark.sql")
FILE = "high_water.json"


class LogWentBack(EscrowError):
    """The log was set back to an older state: no money moves until `escrow worker` has asked the processor."""

    code = "log_went_back"
    status = 503


class Mark(NamedTuple):
    """`log` is the hash of the log's first event, which no other log has; `leaf` that of the event at `position`."""

    log: str
    position: int
    leaf: str


class LogState(NamedTuple):
    """The log as it is: its name and head, the hash at the marked position, and what else tells of a restore.

    `has_reacted`: some worker has followed this log; `ordered`: the reason of a restore that is not dealt with yet.
    """

    log: str | None
    position: int
    leaf: str | None
    recorded_at: datetime | None
    leaf_at_mark: str | None
    has_reacted: bool
    ordered: str | None


class Watermark:
    """The mark of one home, shared by all processes there."""

    def __init__(self, pool: Pool, home: Path) -> None:
        """The file is made when the first payment needs it."""
        self._pool = pool
        self._file = home / FILE
        self._turn = asyncio.Lock()

    async def permit(self) -> None:
        """Raise the mark to the head of the log, durably, so that whatever is sent next cannot be forgotten unseen.

        Raises `LogWentBack`; OSError when the mark cannot be kept, and then nothing may be sent either.
        """
        async with self._turn:
            mark, state = await self.look()
            if cause_of(mark, state) is not None:
                raise LogWentBack
            if mark is None or mark.leaf != state.leaf:
                await asyncio.to_thread(self._keep, state)

    async def look(self) -> tuple[Mark | None, LogState]:
        """Return the mark, None where there is none for this log, and how the log stands."""
        mark = read_mark(self._file)
        state = await fetch_one(self._pool, LogState, SQL.get_state, {"marked": mark.position if mark else 0})
        assert state is not None, "the query gives one row whatever the tables hold"
        return (mark if mark is not None and mark.log == state.log else None), state

    async def accept(self) -> None:
        """Take the log as it is now for what was acted upon."""
        async with self._turn:
            _, state = await self.look()
            await asyncio.to_thread(self._keep, state, may_lower=True)

    def _keep(self, state: LogState, *, may_lower: bool = False) -> None:
        """Others keep the same file: whoever looked earlier than they did takes nothing back."""
        if state.log is None or state.leaf is None:
            return
        with lock_mark(self._file):
            found = read_mark(self._file)
            is_newer = found is None or found.log != state.log or found.position < state.position
            if is_newer or may_lower:
                write_mark(self._file, Mark(state.log, state.position, state.leaf))


def cause_of(mark: Mark | None, state: LogState) -> RestoreCause | None:
    """Return why the log has to be taken for a restored one; None when it goes on where it was."""
    if state.ordered is not None:
        return RestoreCause(state.ordered)
    if mark is None:
        return RestoreCause.UNMARKED if state.has_reacted else None
    if state.position < mark.position:
        return RestoreCause.BEHIND
    return RestoreCause.FORKED if state.leaf_at_mark != mark.leaf else None


def read_mark(file: Path) -> Mark | None:
    """Return the mark; None when there is none, or none that can be read: then the processor is asked once more."""
    try:
        found = cast("dict[str, str | int]", json.loads(file.read_text(encoding="utf-8")))
        return Mark(str(found["log"]), int(found["position"]), str(found["leaf"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def lock_mark(file: Path) -> Generator[None]:
    """Keep all other processes from writing the mark; the file itself is replaced, so it cannot be what is locked."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_mark(file: Path, mark: Mark) -> None:
    """Replace the file in one step, and only return once it would survive a power cut."""
    replace_private_file(file, json.dumps(mark._asdict()).encode() + b"\n")
