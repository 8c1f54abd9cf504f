"""Read your own writes: wait until the read models have reached a position of the log."""

import asyncio

from api.dependencies import Dependencies
from api.errors import PositionNotReached, PositionUnknown
from eventstore.log import get_head
from projections.reached import get_reached

LONGEST_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 0.2


async def wait_for_position(dependencies: Dependencies, position: int, *names: str) -> None:
    """Return once these read models, or all, hold what was recorded up to `position`.

    Raises PositionNotReached after five seconds, and PositionUnknown at once for one that the log does not have.
    """
    if await get_reached(dependencies.pool, names) >= position:
        return
    if position > await get_head(dependencies.pool):
        raise PositionUnknown
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_SECONDS
    pause = FIRST_PAUSE_SECONDS
    while (reached := await get_reached(dependencies.pool, names)) < position:
        if loop.time() + pause > until:
            raise PositionNotReached(reached=reached, retry_after_seconds=1)
        await asyncio.sleep(pause)
        pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
