"""Sign-ins wait in a short queue, and never hold up the rest of the program."""

import asyncio
import os
import threading
from contextlib import suppress

import pytest

from tests.waiting import until
from vault.gate import Gate, TooManySignIns, count_workers
from vault.password import RECOMMENDED, derive_keys


def test_there_are_fewer_threads_than_processors():
    assert 1 <= count_workers() <= max(1, len(os.sched_getaffinity(0)) - 1)


async def _fill(gate: Gate, release: threading.Event, number: int) -> list[asyncio.Task[bool]]:
    """Everybody asks for his place in his first step; nobody is done before the release."""
    tasks = [asyncio.create_task(gate.run(release.wait)) for _ in range(number)]
    await asyncio.sleep(0)
    return tasks


async def _is_admitted(gate: Gate) -> bool:
    with suppress(TooManySignIns):
        return await gate.run(lambda: True)
    return False


def test_who_comes_after_a_full_queue_is_turned_away_at_once():
    async def scenario() -> None:
        gate, release = Gate(workers=1), threading.Event()
        tasks = await _fill(gate, release, 21)
        with pytest.raises(TooManySignIns) as refused:
            await gate.run(lambda: True)
        assert not any(task.done() for task in tasks)
        assert refused.value.status == 429
        release.set()
        assert all(await asyncio.gather(*tasks))
        assert await gate.run(lambda: True)
        gate.close()

    asyncio.run(scenario())


def test_a_caller_who_leaves_frees_the_place_only_when_the_work_has_ended():
    async def scenario() -> None:
        gate, release = Gate(workers=1, queue=0), threading.Event()
        (task,) = await _fill(gate, release, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(TooManySignIns):
            await gate.run(lambda: True)
        release.set()
        assert await until(lambda: _is_admitted(gate))
        gate.close()

    asyncio.run(scenario())


def test_a_failing_computation_frees_its_place():
    async def scenario() -> None:
        gate = Gate(workers=1, queue=0)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await gate.run(lambda: 1 // 0)
        gate.close()

    asyncio.run(scenario())


def test_the_event_loop_goes_on_while_a_password_is_stretched():
    async def scenario() -> int:
        gate = Gate(workers=1)
        task = asyncio.create_task(gate.run(lambda: derive_keys("a password", bytes(16), RECOMMENDED.stretch)))
        turns = 0
        while not task.done():
            await asyncio.sleep(0.001)
            turns += 1
        gate.close()
        return turns

    assert asyncio.run(scenario()) > 10
