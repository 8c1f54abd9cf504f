"""The gate before Argon2, to which `vault.door` is the way: few at once, so that a flood of sign-ins leaves memory and
processor to everything else."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import ClassVar, TypeVar

from domain.errors import EscrowError

QUEUE = 20

Answer = TypeVar("Answer")


class TooManySignIns(EscrowError):
    """Too many people are signing in at this moment; try again in a few seconds."""

    code = "too_many_sign_ins"
    status = 429
    retry_after_seconds: ClassVar[int] = 5


def count_workers() -> int:
    """One thread fewer than this process has processors, so that one is always left for the event loop."""
    return max(1, len(os.sched_getaffinity(0)) - 1)


class Gate:
    """Runs slow work in `workers` threads of its own; `queue` more may wait, the next is turned away."""

    def __init__(self, *, workers: int | None = None, queue: int = QUEUE) -> None:
        """Start no thread before there is work."""
        threads = workers or count_workers()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self.places = threads + queue
        self._free = BoundedSemaphore(self.places)

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Return what `work` returns. Raises TooManySignIns at once when the queue is full.

        A cancelled caller frees the place only when its thread has really ended, or work never started.
        """
        if not self._free.acquire(blocking=False):
            raise TooManySignIns
        future = self._threads.submit(work)
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, _future: Future[Answer]) -> None:
        self._free.release()

    def close(self) -> None:
        """Let running work end and turn the rest away."""
        self._threads.shutdown(wait=True, cancel_futures=True)
