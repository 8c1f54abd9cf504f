"""Seeds spread over processes: each has a database of its own, and takes the next seed when it is done with one."""

import multiprocessing
import queue
from collections.abc import Iterator, Sequence
from multiprocessing.queues import Queue
from multiprocessing.sharedctypes import Synchronized

import uvloop

from tests.conftest import Database
from tests.simulation.runner import Outcome, open_stage, run_seed
from tests.simulation.world import Plan

ALIVE_SECONDS = 1.0
SPAWN = multiprocessing.get_context("spawn")


def play(databases: Sequence[Database], first: int, seeds: int, plan: Plan) -> Iterator[Outcome]:
    """Yield what became of each seed, as it is known; whoever stops reading stops the processes."""
    following, told = SPAWN.Value("q", first), SPAWN.Queue()
    work = [
        SPAWN.Process(target=_work, args=(it, following, first + seeds, plan, told), daemon=True) for it in databases
    ]
    for process in work:
        process.start()
    try:
        for _ in range(seeds):
            yield _wait(told, work)
    finally:
        for process in work:
            process.terminate()
            process.join()


def _wait(told: "Queue[Outcome]", work: Sequence[multiprocessing.process.BaseProcess]) -> Outcome:
    while True:
        try:
            return told.get(timeout=ALIVE_SECONDS)
        except queue.Empty:
            if any(process.exitcode for process in work):
                raise RuntimeError("a process of the simulator died") from None


def _work(database: Database, following: "Synchronized[int]", end: int, plan: Plan, told: "Queue[Outcome]") -> None:
    uvloop.run(_play(database, following, end, plan, told))


async def _play(
    database: Database, following: "Synchronized[int]", end: int, plan: Plan, told: "Queue[Outcome]"
) -> None:
    async with open_stage(database) as (stage, eraser):
        while (seed := _take(following)) < end:
            told.put(await run_seed(stage, eraser, seed, plan))


def _take(following: "Synchronized[int]") -> int:
    with following.get_lock():
        following.value += 1
        return following.value - 1
