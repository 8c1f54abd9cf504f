"""Running the `escrow` command: each a process of its own, forked from one that has read its modules already.

Reading them takes a second of a core, and the tests run hundreds of commands.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.main import main

ROOT = Path(__file__).parent.parent
ESCROW = ROOT / ".venv" / "bin" / "escrow"
TIMEOUT_SECONDS = 90.0
WRITE = os.O_WRONLY | os.O_CREAT
FORKSERVER = multiprocessing.get_context("forkserver")
FORKSERVER.set_forkserver_preload(
    [__name__, *(f"cli.run.{file.stem}" for file in sorted((ROOT / "cli" / "run").glob("[a-z]*.py")))]
)


def command() -> list[str]:
    """Return how the `escrow` command is started anew in this interpreter."""
    return [str(ESCROW)] if ESCROW.exists() else [sys.executable, "-m", "cli.main"]


def environment_of(home: Path) -> dict[str, str]:
    """Return this process's environment, which has nothing of another installation in it, for one of this home."""
    return {**os.environ, "ESCROW_HOME": str(home)}


def run_escrow(arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run one `escrow` command to its end, with nothing to read."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = FORKSERVER.Process(target=_become, args=(list(arguments), dict(environment), out, err))
        process.start()
        process.join(TIMEOUT_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(list(arguments), TIMEOUT_SECONDS)
        return subprocess.CompletedProcess(["escrow", *arguments], process.exitcode, out.read_text(), err.read_text())


def _become(arguments: list[str], environment: dict[str, str], out: Path, err: Path) -> None:
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    for number, (file, flags) in enumerate([(Path(os.devnull), os.O_RDONLY), (out, WRITE), (err, WRITE)]):
        os.dup2(os.open(file, flags, 0o600), number)
    sys.argv = ["escrow", *arguments]
    main()
