"""A worker that dies, and is started anew."""

import asyncio
from collections.abc import Awaitable, Callable

MOST_TRIES = 60


async def again(attempt: Callable[[], Awaitable[object]]) -> None:
    """Start the worker anew until it gets through."""
    for _ in range(MOST_TRIES):
        try:
            await attempt()
        except asyncio.CancelledError:
            continue
        return
    raise AssertionError("it never got through")
