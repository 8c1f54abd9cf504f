"""The person at the terminal as the log knows him: his name, the keys of his commands, and his way to the log."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cli.connection import CONNECTIONS, run_as, running_server
from cli.wiring import Ground, find_settings, new_id, open_ground, require_processor
from database.clock import read_clock
from database.connect import Pool, resolve_dsn
from database.settings import Settings
from domain.actor import COMMAND_LINE, reaction
from eventstore.appender import Appender
from eventstore.escrow import Escrow, Request

T = TypeVar("T")
OPERATOR = reaction(COMMAND_LINE)


def make_request(*facts: str) -> Request:
    """Return a request whose key is made of facts: the same facts again are a repeat."""
    return Request.keyed(OPERATOR, ":".join(facts))


def escrow_of(pool: Pool, appender: Appender) -> Escrow:
    """Return the way to the log for a command of the command line."""
    return Escrow(pool, appender, read_clock, lambda: new_id(read_clock))


def run_on_log(settings: Settings, work: Callable[[Pool, Escrow], Awaitable[T]]) -> T:
    """Return what `work` does to the log."""

    async def connect(pool: Pool) -> T:
        async with Appender(resolve_dsn(settings, "app")) as appender:
            return await work(pool, escrow_of(pool, appender))

    return run_as("app", settings, connect)


def run_on_ground(work: Callable[[Ground], Awaitable[T]], connections: int = CONNECTIONS) -> T:
    """Return what `work` does to the log and at the processor. Raises what `require_processor` raises."""

    async def connect() -> T:
        async with open_ground(settings, read_clock, connections) as ground:
            return await work(ground)

    settings = find_settings()
    require_processor(settings)
    with running_server(settings):
        return asyncio.run(connect())
