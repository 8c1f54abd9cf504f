"""Child processes of the demo: they end with their parent, however it ends."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from domain.errors import EscrowError, Fact

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 20.0
LAST_LINES, LONGEST_SAID = 3, 400


class ChildFailed(EscrowError):
    """Something that the demo needs ended or did not answer; its log says why."""

    code = "child_failed"


class Children:
    """Starts processes, notices when one dies, and stops them in reverse order."""

    def __init__(self, log_dir: Path, environment: Mapping[str, str]) -> None:
        """Their output goes to `log_dir`, a file for each."""
        self._log_dir = log_dir
        self._environment = dict(environment)
        self._running: dict[str, subprocess.Popen[str]] = {}

    def start(
        self, name: str, arguments: Sequence[str], *, reads_output: bool = False, waits: bool = False
    ) -> subprocess.Popen[str]:
        """Start `python -m …`; with `reads_output` it can be heard, and with `waits` it waits for `begin`."""
        self._log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._log_dir / f"{name}.log").open("a", encoding="utf-8") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdin=subprocess.PIPE if waits else subprocess.DEVNULL,
                stdout=subprocess.PIPE if reads_output else log,
                stderr=log,
                text=True,
                env=self._environment,
                preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 it makes two system calls and takes no lock
            )
        self._running[name] = child
        return child

    def begin(self, name: str) -> None:
        """Say "go" to one that waits for it. Raises `ChildFailed` when it has ended."""
        order = self._running[name].stdin
        self.check()
        if order is not None:
            order.write("go\n")
            order.close()

    def hear(self, name: str) -> str:
        """Return the next line that one says; nothing when it has ended."""
        output = self._running[name].stdout
        return output.readline() if output else ""

    def check(self) -> None:
        """Raise `ChildFailed` when one has ended."""
        for name, child in self._running.items():
            if child.poll() is not None:
                raise self.failure_of(name, exit_code=child.returncode)

    def failure_of(self, name: str, **facts: Fact) -> ChildFailed:
        """Return what to raise when one is of no use, with what it said last."""
        log = self._log_dir / f"{name}.log"
        said = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:])
        return ChildFailed(process=name, log=str(log), **facts, said=said[-LONGEST_SAID:])

    def stop(self) -> None:
        """Ask each to stop, the last one first, and kill what does not listen."""
        for child in reversed(self._running.values()):
            child.terminate()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._running.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _die_with(parent: int) -> Callable[[], None]:
    """Return what a child does before it starts: ask the kernel to be stopped when its parent ends."""
    libc = ctypes.CDLL(None, use_errno=True)

    def prepare() -> None:
        # Ctrl-C reaches the whole foreground group; the parent alone decides the order in which they stop.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
