"""How far a long run is: what the command line draws."""

from collections.abc import Callable
from time import monotonic
from typing import NamedTuple


class Step(NamedTuple):
    """`done` of `total` units (events) of `phase`; `rate` is units per second since the phase began."""

    phase: str
    done: int
    total: int
    rate: float


Progress = Callable[[Step], None]


def ignore(step: Step) -> None:
    """Nobody looks."""


class Meter:
    """Turns counts into steps."""

    def __init__(self, phase: str, total: int, progress: Progress) -> None:
        """The phase begins now."""
        self._phase = phase
        self._total = total
        self._progress = progress
        self._began = monotonic()

    def reach(self, done: int) -> None:
        """So many are done in all."""
        elapsed = monotonic() - self._began
        rate = done / elapsed if elapsed > 0 else 0.0
        self._progress(Step(self._phase, done, self._total, rate))
