"""What an answer does not wait for, so that the time it takes tells nothing about what was found."""

import asyncio
from collections.abc import Coroutine

import structlog
from psycopg import Error

from domain.errors import EscrowError

MOST = 100

logger = structlog.get_logger("errands")


class TooManyErrands(EscrowError):
    """Too much of this is asked for at this moment; try again in a few seconds."""

    code = "too_many_errands"
    status = 429


class Errands:
    """Work that goes on after the answer; lost when the process ends, so only for what can be asked for again."""

    def __init__(self) -> None:
        """At most `MOST` at once."""
        self._running: set[asyncio.Task[None]] = set()

    def begin(self, name: str, work: Coroutine[object, object, None]) -> None:
        """Start `work`. Raises TooManyErrands, whatever it is about."""
        if len(self._running) >= MOST:
            work.close()
            raise TooManyErrands(retry_after_seconds=5)
        task = asyncio.create_task(_run(name, work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)


async def _run(name: str, work: Coroutine[object, object, None]) -> None:
    try:
        await work
    except (EscrowError, Error) as error:
        logger.warning("errand_failed", errand=name, error=type(error).__name__)
