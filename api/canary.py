"""Watching the vault from the process that opens it: the canary every minute, a metric, an event when it changes."""

import asyncio

import structlog
from psycopg import Error

from api.dependencies import Dependencies
from domain.actor import reaction
from domain.canary import CANARY_ID, Canary, ObserveCanary, StartCanary
from domain.command import Command
from domain.errors import EscrowError, NotFound
from eventstore.escrow import Request

EVERY_SECONDS = 60.0
NAME = "canary"

logger = structlog.get_logger(NAME)


async def watch_canary(dependencies: Dependencies) -> None:
    """Look every minute until cancelled."""
    while True:
        await look_once(dependencies)
        await asyncio.sleep(EVERY_SECONDS)


async def look_once(dependencies: Dependencies) -> None:
    """Open the canary; a database that is away says nothing about the vault."""
    try:
        failure = await _find_failure(dependencies)
        dependencies.metrics.vault_canary.set(0 if failure else 1)
        await _record(dependencies, failure)
    except (Error, EscrowError) as error:
        logger.warning("canary_not_looked_at", error=type(error).__name__)


async def _find_failure(dependencies: Dependencies) -> str | None:
    async with dependencies.pool.connection() as connection:
        try:
            await dependencies.locksmith.open_canary(connection)
        except EscrowError as error:
            logger.error("canary_failed", code=error.code)
            return error.code
    return None


async def _record(dependencies: Dependencies, failure: str | None) -> None:
    """A vault that never failed has no event."""
    try:
        known = await dependencies.escrow.get(Canary, CANARY_ID)
    except NotFound:
        if failure is None:
            return
        await _order(dependencies, StartCanary(), 0)
        known = await dependencies.escrow.get(Canary, CANARY_ID)
    if known.is_failing != (failure is not None):
        await _order(dependencies, ObserveCanary(failure=failure), known.version)


async def _order(dependencies: Dependencies, command: Command[Canary], version: int) -> None:
    """Of several processes that see the same, one records it."""
    request = Request.keyed(reaction(NAME), f"{NAME}:{version}:{command!r}")
    await dependencies.escrow.execute(CANARY_ID, command, request)
