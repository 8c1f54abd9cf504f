"""A worker at work on a small world, and what becomes of it."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from uuid import UUID

import psycopg

from domain.transaction import Transaction
from domain.transaction.phase import Phase
from gateways.payment import NewTransfer, Transfer
from gateways.paystack.webhook import signature
from projections.catch_up import catch_up_together
from projections.registry import PROJECTIONS
from projections.runner import run_projections
from reactions.inbox import receive
from reactions.refusals import Refusals
from reactions.worker import Worker
from tests.conftest import Database
from tests.reactions.world import SECRET, World
from tests.waiting import until


@asynccontextmanager
async def beside(*jobs: Coroutine[object, object, None]) -> AsyncGenerator[None]:
    """Do these for the length of the block; one that failed meanwhile fails the test."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def working(world: World, dsn: str, poll_every: timedelta = timedelta(seconds=1)) -> AsyncGenerator[None]:
    """The projection runner and a worker that polls, both as they are."""
    async with beside(run_projections(dsn), Worker(world.tools, dsn, poll_every=poll_every).run()):
        yield


def hang_transfers(world: World) -> asyncio.Event:
    """From now on no order of a transfer is ever answered; return what is set when one was given."""
    given = asyncio.Event()

    async def hang(_wanted: NewTransfer) -> Transfer:
        given.set()
        return await asyncio.get_running_loop().create_future()

    world.tools.gateway.initiate_transfer = hang  # type: ignore[method-assign]
    return given


async def work_off(worker: Worker) -> None:
    """What waits in the inbox is worked off once."""
    for group in await worker.backlog.sort(await worker.backlog.take()):
        await worker.backlog.apply(*group)
    await worker.backlog.flush()


async def deliver(world: World, body: bytes) -> None:
    """Bring a webhook with the processor's signature."""
    await receive(world.pool, SECRET, world.clock, body, signature(SECRET, body), Refusals())


async def until_phase(world: World, transaction_id: UUID, phase: Phase) -> None:
    await until(lambda: world.transaction(transaction_id), lambda transaction: transaction.phase is phase)


async def until_contract(world: World, transaction_id: UUID) -> Transaction:
    return await until(lambda: world.transaction(transaction_id), lambda transaction: transaction.contract_sha256)


async def until_rows(database: Database, query: str, expected: list[tuple[object, ...]], seconds: float = 30.0) -> None:
    with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
        ask = partial(connection.execute, query)  # type: ignore[arg-type]
        await until(lambda: ask().fetchall(), lambda found: found == expected, seconds=seconds)


def read(database: Database, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database.owner_dsn) as connection:
        return connection.execute(query).fetchall()  # type: ignore[arg-type]


def fold(database: Database) -> None:
    """Bring every table up to the end of the log."""
    with psycopg.connect(database.app_dsn, autocommit=True) as connection:
        catch_up_together(connection, PROJECTIONS)
