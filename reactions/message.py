"""Whether messages leave at all: while none does an alert stands, and the first that does takes it down."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from database.connect import Pool
from database.standstill import Kind, begin_standstill, fail_standstill, resolve_standstill
from domain.ids import Clock
from gateways.message import MessageUndelivered

M = TypeVar("M")
REASON = "messages cannot be handed over"


def watch_delivery(
    pool: Pool, clock: Clock, kind: Kind, send: Callable[[M], Awaitable[None]]
) -> Callable[[M], Awaitable[None]]:
    """Return `send`, which also keeps the standstill `kind`; what the other side said of one message begins none."""

    async def watched(message: M) -> None:
        try:
            await send(message)
        except MessageUndelivered as error:
            if error.concerns_all:
                await begin_standstill(pool, kind, REASON, clock())
                await fail_standstill(pool, kind, error.reason, clock())
            raise
        await resolve_standstill(pool, kind, clock())

    return watched
