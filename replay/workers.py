"""Work on several cores: processes that end with the one that waits for them, and one counter of what is done."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
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
    leash, held = context.Pipe(duplex=False)
    until_let_go = partial(leash.poll, None)
    with held, leash, ProcessPoolExecutor(processes, context, _prepare, (counter, until_let_go)) as pool:
        try:
            with _uninterrupted():
                futures = [pool.submit(_run_there, task) for task in tasks]
            return _collect(futures, counter, reach)
        except BaseException:
            held.close()  # nobody waits for what the others would have found
            raise


@contextmanager
def _uninterrupted() -> Generator[None]:
    """A terminal interrupts all processes of a command; those started in here leave that to who started them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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


def _prepare(counter: "Synchronized[int]", until_let_go: Callable[[], bool]) -> None:
    _counters.append(counter)
    Thread(target=_end_after, args=(until_let_go,), daemon=True).start()


def _end_after(until_let_go: Callable[[], bool]) -> None:
    """Die when nobody waits for us any more, also because he was killed: a process left over would go on writing."""
    _ = until_let_go()
    os._exit(1)
