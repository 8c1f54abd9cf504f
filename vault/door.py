"""The way to the gate: who cannot be taken is turned away before anything is asked of the database.

A sign-in asks the database several times before Argon2 works for it, and so does a reset. A flood of them would have
every connection, and every other command would wait. So each has a place from its first question to its last, and
whoever registers has one too.
"""

from collections.abc import Generator
from contextlib import contextmanager

from vault.gate import TooManySignIns

KEPT = 5
"""Places of the gate that strangers cannot have: for known devices, and for those who sign or see credentials."""


class Door:
    """Lets in as many as the gate has places for. For use within one event loop."""

    def __init__(self, places: int) -> None:
        """`places` are those of the gate: those who work and those who wait."""
        self._kept = min(KEPT, places - 1)
        self._for_strangers = places - self._kept
        self._strangers = 0
        self._devices: set[bytes] = set()

    @contextmanager
    def enter(self, device: bytes | None) -> Generator[None]:
        """Have a place for the length of the block. Raises TooManySignIns at once.

        `device` names a device that is known for sure: it may have a place that is kept, one at a time.
        """
        if device is not None and device not in self._devices and len(self._devices) < self._kept:
            self._devices.add(device)
            try:
                yield
            finally:
                self._devices.discard(device)
            return
        if self._strangers >= self._for_strangers:
            raise TooManySignIns
        self._strangers += 1
        try:
            yield
        finally:
            self._strangers -= 1
