"""Waiting for what another process, thread or task does: far longer than it takes, since no test is about speed.

Each asks again until the answer suits, and returns that answer; a failure shows the last one.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from database.connect import Pool

Answer = TypeVar("Answer")
PATIENCE_SECONDS = 20.0
PAUSE_SECONDS = 0.05
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def wait_until(
    ask: Callable[[], Answer], suits: Callable[[Answer], object] = bool, *, seconds: float = PATIENCE_SECONDS
) -> Answer:
    """Wait in a thread that has nothing else to do."""
    deadline = time.monotonic() + seconds
    while not suits(answer := ask()):
        assert time.monotonic() < deadline, f"after {seconds:g} s it is still {answer!r}"
        time.sleep(PAUSE_SECONDS)
    return answer


async def until(
    ask: Callable[[], Awaitable[Answer] | Answer],
    suits: Callable[[Answer], object] = bool,
    *,
    seconds: float = PATIENCE_SECONDS,
) -> Answer:
    """Wait without holding up the event loop."""
    deadline = time.monotonic() + seconds
    while not suits(answer := await _await_if_it_must_be(ask())):
        assert time.monotonic() < deadline, f"after {seconds:g} s it is still {answer!r}"
        await asyncio.sleep(PAUSE_SECONDS)
    return answer


async def is_blocked_or_over(pool: Pool, task: asyncio.Task[Any]) -> bool:
    """Tell whether somebody in this database waits for a lock, or the task that should is done."""
    return task.done() or await count_blocked(pool) > 0


async def count_blocked(pool: Pool) -> int:
    """How many in this database wait for a lock."""
    async with pool.connection() as connection:
        row = await (await connection.execute(BLOCKED)).fetchone()
    return row[0] if row else 0


async def _await_if_it_must_be(answer: Awaitable[Answer] | Answer) -> Answer:
    return await answer if inspect.isawaitable(answer) else answer  # type: ignore[return-value]
