"""Whoever is interrupted takes his workers with him at once, and they go without a word."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import suppress

import pytest

from replay.workers import Tick, run_all
from tests.waiting import PATIENCE_SECONDS, wait_until

PROGRAM = """
import signal
import sys
from replay.workers import run_all
from tests.replay.test_workers import hold

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may not hear of it
try:
    print("ready", flush=True)
    run_all([hold, hold], 2, lambda done: None)
except KeyboardInterrupt:
    sys.exit(130)
"""
LONG_SECONDS = 600


def hold(tick: Tick) -> None:
    """Say who works, and do not come to an end."""
    os.write(sys.stdout.fileno(), f"{os.getpid()}\n".encode())  # whole: the other writes at the same time
    tick(1)
    time.sleep(LONG_SECONDS)


def fail(tick: Tick) -> None:
    """Come to a bad end once the other is at work."""
    time.sleep(1)
    raise LookupError("as planned")


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def program() -> Generator["subprocess.Popen[str]"]:
    """A program that has its workers start; it has said that it is ready."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        yield program
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)


def interrupt(program: "subprocess.Popen[str]") -> tuple[int, str]:
    """Interrupt all of it together, as a terminal does; its end, once nobody holds its streams, and what was said."""
    os.killpg(program.pid, signal.SIGINT)
    _, said = program.communicate(timeout=PATIENCE_SECONDS)
    return program.returncode, said


def test_control_c_ends_program_and_workers_at_once(program: "subprocess.Popen[str]") -> None:
    assert program.stdout is not None
    pids = [int(program.stdout.readline()) for _ in range(2)]
    assert interrupt(program) == (130, "")
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


@pytest.mark.parametrize(
    "seconds", [0.0, 0.2, 1.6, *(pytest.param(seconds, marks=pytest.mark.soak) for seconds in (0.02, 0.8))]
)
def test_control_c_while_the_workers_start_leaves_nothing_behind(
    program: "subprocess.Popen[str]", seconds: float
) -> None:
    time.sleep(seconds)
    assert interrupt(program) == (130, "")


def test_the_others_end_with_the_first_that_fails() -> None:
    began = time.monotonic()
    with pytest.raises(LookupError, match="as planned"):
        run_all([hold, fail], 2, lambda done: None)
    assert time.monotonic() - began < LONG_SECONDS / 10
