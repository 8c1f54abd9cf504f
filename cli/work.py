"""`escrow worker`: keeps the tables up to date and does what events demand."""

import asyncio
import signal

import uvloop

from cli.database import prepare_database, running_server
from cli.output import say
from cli.wiring import WORKER_CONNECTIONS, Ground, desk_of, open_ground, read_clock, require_processor, toolbox_of
from database.connect import resolve_dsn
from database.settings import Settings
from projections.runner import run_projections
from reactions.worker import Worker
from reconciliation.nightly import Nightly


def run_worker() -> None:
    """Work until SIGTERM or Ctrl-C; the next start carries on where this one was."""
    settings = Settings()
    require_processor(settings)
    with running_server(settings):
        prepare_database(settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_work(settings))


async def _work(settings: Settings) -> None:
    async with open_ground(settings, read_clock, WORKER_CONNECTIONS) as ground:
        working = asyncio.create_task(work(ground))
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, working.cancel)
        say("the worker follows the log")
        try:
            await working
        except asyncio.CancelledError:
            say("the worker has stopped")


async def work(ground: Ground) -> None:
    """Run projections, reactions and the nightly reconciliation until cancelled."""
    dsn = resolve_dsn(ground.settings, "app")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run_projections(dsn))
        tasks.create_task(Worker(toolbox_of(ground), dsn).run())
        tasks.create_task(Nightly(desk_of(ground), dsn).run())
