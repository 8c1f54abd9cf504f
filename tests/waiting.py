"""Waiting for what another process or thread does."""

import time
from collections.abc import Callable

PAUSE_SECONDS = 0.02


def wait_until(happens: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until something is so; fail after `seconds`."""
    until = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < until, f"it did not happen within {seconds:g} s"
        time.sleep(PAUSE_SECONDS)
