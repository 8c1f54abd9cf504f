"""A demo that runs: started as `make run` starts it, in a home of its own, stopped as its user would stop it."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from database.facts import read_facts
from tests.escrow_command import ROOT, command, environment_of, run_escrow
from tests.home import own_home
from tests.waiting import wait_until

READY_SECONDS = 120.0
STOP_SECONDS = 45.0


@dataclass(frozen=True, kw_only=True)
class Demo:
    """A demo, its home and the environment in which the `escrow` command finds it."""

    home: Path
    process: subprocess.Popen[bytes]
    environment: Mapping[str, str]

    @property
    def facts(self) -> dict[str, object]:
        """What demo.json says now; its tokens change while it runs."""
        return json.loads((self.home / "demo.json").read_text())

    def escrow(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the `escrow` command against it."""
        return run_escrow(arguments, self.environment)


def begin_demo(home: Path) -> Demo:
    """Start one on a free port and wait for nothing."""
    environment = environment_of(home)
    with (home / "out").open("ab") as out:
        process = subprocess.Popen(
            [*command(), "demo", "--port", "0"], env=environment, cwd=ROOT, stdout=out, stderr=out
        )
    return Demo(home=home, process=process, environment=environment)


def start_demo(home: Path) -> Demo:
    """Start one and wait until demo.json has been written by this start."""
    began = time.time()
    file = home / "demo.json"
    demo = begin_demo(home)
    wait_for_demo(demo, lambda: file.exists() and file.stat().st_mtime >= began)
    return demo


def wait_for_demo(demo: Demo, happens: Callable[[], bool]) -> None:
    """Wait until something is so; fail when the demo ends before, and kill it when it takes too long."""
    try:
        wait_until(lambda: demo.process.poll() is not None or happens(), seconds=READY_SECONDS)
        assert demo.process.poll() is None, (demo.home / "out").read_text()
    except BaseException:
        demo.process.kill()
        raise


@contextmanager
def run_demo() -> Generator[Demo]:
    """One in a home of its own, for the length of the block."""
    with own_home("escrow-demo-") as home:
        demo = start_demo(home)
        try:
            yield demo
        finally:
            stop_demo(demo)


def stop_demo(demo: Demo) -> int:
    """Send SIGTERM and return the exit code."""
    if demo.process.poll() is None:
        demo.process.send_signal(signal.SIGTERM)
    try:
        return demo.process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        demo.process.kill()
        raise


def list_processes_of(home: Path) -> dict[int, str]:
    """Return the command lines of all processes that belong to a home: by their environment or by their arguments."""
    embedded = read_facts(home).embedded
    places = [str(home)] + ([str(embedded.root)] if embedded is not None else [])
    mark = re.compile("|".join(re.escape(place) for place in places))
    found: dict[int, str] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            line, surroundings = _read(folder / "cmdline"), _read(folder / "environ")
            if line and (mark.search(line) or f"ESCROW_HOME={home}" in surroundings):
                found[int(folder.name)] = line
    return found


def _read(file: Path) -> str:
    try:
        return file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
