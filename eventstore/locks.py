"""One command at a time per stream in this process. The log decides all the same: this only saves conflicts."""

import asyncio
from collections import deque
from collections.abc import Collection
from uuid import UUID


class StreamLocks:
    """First come, first served; several streams are locked in the order of their ids: nobody waits in a ring."""

    def __init__(self) -> None:
        """A stream is locked while it is a key; the values are those who wait."""
        self._waiters: dict[UUID, deque[asyncio.Future[None]]] = {}

    async def acquire(self, streams: Collection[UUID]) -> None:
        """Lock all of them, or none when cancelled."""
        held: list[UUID] = []
        try:
            for stream in sorted(streams):
                await self._acquire_one(stream)
                held.append(stream)
        except BaseException:
            self.release(held)
            raise

    def acquire_at_once(self, streams: Collection[UUID]) -> bool:
        """Lock all of them if all are free now; this never waits, so it is allowed to those who hold others."""
        if any(stream in self._waiters for stream in streams):
            return False
        for stream in streams:
            self._waiters[stream] = deque()
        return True

    def release(self, streams: Collection[UUID]) -> None:
        """Hand each stream to the first who waits for it."""
        for stream in streams:
            self._release_one(stream)

    async def _acquire_one(self, stream: UUID) -> None:
        waiters = self._waiters.get(stream)
        if waiters is None:
            self._waiters[stream] = deque()
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiters.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # handed over in the same moment
                self._release_one(stream)
            raise

    def _release_one(self, stream: UUID) -> None:
        waiters = self._waiters[stream]
        while waiters:
            turn = waiters.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._waiters[stream]
