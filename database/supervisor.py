"""Keeps one PostgreSQL server alive for its owner, and takes it down with it.

Started by `database.postgres` as a script, in a session of its own so that Ctrl-C reaches the owner only. It imports
nothing but the standard library. The owner's end of standard input is the lifeline: a byte means "stop in your own
time", its end means that the owner is gone. Whatever dies, nothing stays behind:

    the server     is started again at once
    the owner      is noticed by the lifeline and by the parent's id; the server is stopped
    this process   PostgreSQL gets SIGQUIT from the kernel, and the owner starts another supervisor
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, NamedTuple, TypedDict

PR_SET_PDEATHSIG = 1
LIFELINE = 0
PATIENT_SECONDS = 60.0
HURRIED_SECONDS = 5.0
SETTLED_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 5.0
LARGEST_LOG_BYTES = 16 * 1024 * 1024


class Order(TypedDict):
    """What the owner asks for; `uid` and `gid` are null when the account stays the same."""

    postgres: str
    data_dir: str
    log_file: str
    owner_pid: int
    uid: int | None
    gid: int | None
    environment: dict[str, str]


class Signals(NamedTuple):
    """The pipe into which Python writes a byte per signal, so that `select` wakes up."""

    read: int
    write: int


def main() -> None:
    """Run until the owner says stop or is gone."""
    order: Order = json.loads(sys.argv[1])
    signals = _catch_signals()
    rapid_deaths = 0
    while True:
        clear_leftovers(Path(order["data_dir"]))
        started = time.monotonic()
        server = _start(order)
        if (patience := _wait(server, signals, order["owner_pid"])) is not None:
            _stop(server, patience)
            return
        rapid_deaths = rapid_deaths + 1 if time.monotonic() - started < SETTLED_SECONDS else 0
        if pause(rapid_deaths, order["owner_pid"]):
            return


def _catch_signals() -> Signals:
    """SIGCHLD to notice the server's death; SIGTERM is what a shutting-down machine sends to everybody."""
    signals = Signals(*os.pipe())
    os.set_blocking(signals.read, False)
    os.set_blocking(signals.write, False)
    signal.set_wakeup_fd(signals.write)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, _ignore)
    return signals


def _ignore(_number: int, _frame: object) -> None:
    """A handler must exist for the byte to be written."""


def _start(order: Order) -> subprocess.Popen[bytes]:
    """The log is opened by us and not by the server, so that it lies in ESCROW_HOME whoever the server runs as."""
    with open_log(Path(order["log_file"])) as log:
        return subprocess.Popen(
            [order["postgres"], "-D", order["data_dir"]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=order["environment"],
            start_new_session=True,
            user=order["uid"],
            group=order["gid"],
            extra_groups=None if order["uid"] is None else [],
            preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - this process has one thread
        )


def open_log(path: Path) -> IO[bytes]:
    """For appending, private; a large log becomes `.1` and the one before it goes."""
    if path.exists() and path.stat().st_size > LARGEST_LOG_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _die_with(parent: int) -> Callable[[], None]:
    """SIGQUIT is PostgreSQL's immediate stop: all its processes go, and the next start recovers from the log."""
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        if hasattr(libc, "prctl"):
            libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGQUIT))
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def _wait(server: subprocess.Popen[bytes], signals: Signals, owner_pid: int) -> float | None:
    """None when the server died; otherwise how many seconds it may take to stop."""
    while server.poll() is None:
        ready, _, _ = select.select([LIFELINE, signals.read], [], [], 0.5)
        if LIFELINE in ready:
            return PATIENT_SECONDS if os.read(LIFELINE, 1) else HURRIED_SECONDS
        # A forked child of the owner may hold the lifeline open; the parent's id cannot lie.
        if os.getppid() != owner_pid:
            return HURRIED_SECONDS
        if signals.read in ready and bytes([signal.SIGTERM]) in os.read(signals.read, 512):
            return PATIENT_SECONDS
    return None


def _stop(server: subprocess.Popen[bytes], patience_seconds: float) -> None:
    """First a clean stop with a checkpoint, then an immediate one, then by force."""
    for number, seconds in ((signal.SIGINT, patience_seconds), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
        server.send_signal(number)
        try:
            server.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        return


def pause(rapid_deaths: int, owner_pid: int) -> bool:
    """Longer after each rapid death (a full disk heals only slowly); True when the owner has gone meanwhile."""
    seconds = min(LONGEST_PAUSE_SECONDS, 0.05 * 2 ** min(rapid_deaths, 10)) if rapid_deaths else 0.0
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and os.getppid() == owner_pid:
        if select.select([LIFELINE], [], [], min(0.5, left))[0]:
            return True
    return os.getppid() != owner_pid


def clear_leftovers(data_dir: Path) -> None:
    """End servers left in this folder by a killed owner, and forget a postmaster.pid whose number is now a stranger's.

    Called only by the holder of the lock, so whatever runs there has no owner any more.
    """
    for number, seconds in ((signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        until = time.monotonic() + seconds
        while (left := list_servers(data_dir)) and time.monotonic() < until:
            for pid in left:
                _send(pid, number)
            time.sleep(0.05)
    pid_file = data_dir / "postmaster.pid"
    if Path("/proc/self").exists() and pid_file.exists() and not list_servers(data_dir):
        pid_file.unlink()


def list_servers(data_dir: Path) -> list[int]:
    """Processes named postgres whose working folder is `data_dir`: the server and its children, and nobody's shell."""
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _is_server(entry, data_dir)]


def _is_server(process: Path, data_dir: Path) -> bool:
    try:
        return (process / "cwd").readlink() == data_dir and (process / "exe").readlink().name.startswith("postgres")
    except OSError:
        return False


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    main()
