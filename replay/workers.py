"""Work on several cores: processes that die with the one that started them, and one counter of what is done."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import partial
from multiprocessing.sharedctypes import Synchronized
from threading import Thread
from typing import TypeVar

R = TypeVar("R")
Tick = Callable[[int], None]
LOOK_SECONDS = 0.2
PRELOADED = ["replay.log", "replay.fold"]  # imported once, by a process without threads that all others come from

_counters: "list[Synchronized[int]]" = []


def run_all(tasks: Sequence[Callable[[Tick], R]], processes: int, reach: Callable[[int], None]) -> list[R]:
    """The results in the order of the tasks, which are picklable; `reach` hears how many units are done in all."""
    if processes <= 1 or len(tasks) <= 1:
        return _run_here(tasks, reach)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    counter: Synchronized[int] = context.Value("q", 0)
    with ProcessPoolExecutor(processes, context, _prepare, (counter,)) as pool:
        futures = [pool.submit(_run_there, task) for task in tasks]
        try:
            return _collect(futures, counter, reach)
        finally:
            for future in futures:
                future.cancel()


def _collect(futures: list[Future[R]], counter: "Synchronized[int]", reach: Callable[[int], None]) -> list[R]:
    waiting: set[Future[R]] = set(futures)
    while waiting:
        done, waiting = wait(waiting, LOOK_SECONDS, FIRST_COMPLETED)
        for future in done:
            future.result()
        reach(counter.value)
    return [future.result() for future in futures]


def _run_here(tasks: Sequence[Callable[[Tick], R]], reach: Callable[[int], None]) -> list[R]:
    done = 0

    def tick(count: int) -> None:
        nonlocal done
        done += count
        reach(done)

    return [task(tick) for task in tasks]


def _run_there(task: Callable[[Tick], R]) -> R:
    return task(partial(_count, _counters[0]))


def _count(counter: "Synchronized[int]", count: int) -> None:
    with counter.get_lock():
        counter.value += count


def _prepare(counter: "Synchronized[int]") -> None:
    _counters.append(counter)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Die with the one who waits for us, also when he is killed: a process left over would go on writing."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "this runs in a process that was started for tasks"
    parent.join()
    os._exit(1)
