"""`escrow worker`: keeps the tables up to date and does what events demand."""

import asyncio
import signal
from datetime import timedelta

import uvloop

from cli.connection import prepare_database, running_server
from cli.errors import NotReady
from cli.output import say
from cli.run.restored import order_comparison
from cli.wiring import (
    WORKER_CONNECTIONS,
    Ground,
    ask_of,
    desk_of,
    eraser_of,
    gate_of,
    notifier_of,
    open_files,
    open_ground,
    require_processor,
    toolbox_of,
)
from database.clock import read_clock
from database.connect import resolve_dsn
from database.settings import Settings
from identity.housekeeping import keep_house
from projections.runner import run_projections
from reactions.gate import MemoryStale
from reactions.worker import Worker
from reconciliation.asking import Ask
from reconciliation.nightly import Nightly


class RestartNeeded(NotReady):
    """The log was set back while this worker ran; start it again, and it will ask the processor before money moves."""

    code = "restart_needed"


def run_worker(*, reconcile_first: bool = False) -> None:
    """Work until SIGTERM or Ctrl-C; the next start carries on where this one was.

    With `reconcile_first` the log is held against the processor before any money moves, as after every restore.
    """
    settings = Settings()
    require_processor(settings)
    with running_server(settings):
        prepare_database(settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_work(settings, reconcile_first=reconcile_first))


async def _work(settings: Settings, *, reconcile_first: bool) -> None:
    async with open_ground(settings, read_clock, WORKER_CONNECTIONS) as ground:
        if reconcile_first:
            await order_comparison(ground.pool)
        working = asyncio.create_task(_work_on(ground))
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, working.cancel)
        say("the worker follows the log")
        try:
            await working
        except asyncio.CancelledError:
            say("the worker has stopped")


async def _work_on(ground: Ground) -> None:
    is_stale = False
    try:
        await work(ground)
    except* MemoryStale:
        is_stale = True
    if is_stale:
        raise RestartNeeded


def worker_of(ground: Ground, dsn: str) -> Worker:
    """Return the reactions with what the settings say of them."""
    days = ground.settings.escrow_ask_transfers_days
    gate = gate_of(ground).pass_through
    asked_for = timedelta(days=days)
    return Worker(toolbox_of(ground), dsn, gate=gate, notifier=notifier_of(ground), ask_transfers_for=asked_for)


async def work(ground: Ground) -> None:
    """Run projections, reactions and the nightly reconciliation until cancelled."""
    dsn = resolve_dsn(ground.settings, "app")
    kept_for = timedelta(days=ground.settings.escrow_access_log_days)
    eraser = eraser_of(ground.settings, ground.pool, ground.clock, open_files(ground.settings))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run_projections(dsn))
        tasks.create_task(keep_house(ground.pool, ground.clock, kept_for))
        tasks.create_task(eraser.run())
        tasks.create_task(worker_of(ground, dsn).run())
        tasks.create_task(Nightly(desk_of(ground), dsn, ask=_ask_of(ground)).run())


def _ask_of(ground: Ground) -> Ask | None:
    return ask_of(ground) if ground.settings.escrow_nightly_ask else None
