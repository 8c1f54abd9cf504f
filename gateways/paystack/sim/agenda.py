"""What the stand-in does by itself: settle charges, move transfers and refunds on, deliver webhooks and try again."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

import httpx

from gateways.paystack.sim import delivery, disputes, payments, refunds, settlements, transfers
from gateways.paystack.sim.records import TaskRecord
from gateways.paystack.sim.state import Sim

_AT_ONCE = 16
_MAX_SLEEP_SECONDS = 60.0

Errand = Callable[[Sim, httpx.AsyncClient | None, TaskRecord], Awaitable[None]]
ERRANDS: Mapping[str, Errand] = {"webhook": delivery.deliver, "approval": delivery.ask_approval}
"""What waits for somebody's answer, so that it is done beside everything else."""

STEPS: Mapping[str, Callable[[Sim, TaskRecord], None]] = {
    "settle": lambda sim, task: settlements.settle_due(sim, task.key),
    "pay": lambda sim, task: payments.pay_late(sim, task.key),
    "transfer": lambda sim, task: transfers.move_later(sim, task.key, task.argument),
    "begin": lambda sim, task: transfers.decide(sim, task.key, "approved"),
    "refund": lambda sim, task: refunds.move_later(sim, task.key, task.argument),
    "dispute": lambda sim, task: disputes.open_later(sim, task.key),
    "remind": lambda sim, task: disputes.remind(sim, task.key),
    "due": lambda sim, task: disputes.accept_by_silence(sim, task.key),
    "decide": lambda sim, task: disputes.decide_later(sim, task.key, task.argument),
}


class Agenda:
    """Performs tasks when they are due; one per stand-in, in its event loop."""

    def __init__(self, sim: Sim) -> None:
        """Nothing happens before `run` or `run_due`."""
        self._sim = sim
        self._wake = asyncio.Event()
        self._errands: dict[int, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def wake(self) -> None:
        """Look at the tasks again: there may be new ones, or it may be later."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                while True:
                    self._wake.clear()
                    self._perform_due(client)
                    await self._sleep()
            finally:
                await self._stop_errands()

    async def run_due(self, client: httpx.AsyncClient | None) -> int:
        """Do what is due by now in the order of its time, one after the other; return how much that was."""
        done = 0
        while tasks := self._due():
            for task in tasks:
                if task.action in ERRANDS:
                    await self._run_errand(client, task)
                else:
                    self._perform(task)
                self._sim.store.commit()
            done += len(tasks)
        return done

    def _perform_due(self, client: httpx.AsyncClient) -> None:
        """Repeat while tasks make further tasks that are due at once."""
        while tasks := self._due():
            for task in tasks:
                if task.action in ERRANDS:
                    self._errands[task.id] = asyncio.create_task(self._run_beside(client, task))
                else:
                    self._perform(task)
            self._sim.store.commit()

    def _due(self) -> list[TaskRecord]:
        now = self._sim.clock.text()
        idle = (task for task in self._sim.store.tasks.all() if task.id not in self._errands)
        return sorted((task for task in idle if task.due_at <= now), key=lambda task: (task.due_at, task.id))

    def _perform(self, task: TaskRecord) -> None:
        self._sim.store.tasks.remove(str(task.id))
        STEPS[task.action](self._sim, task)

    async def _sleep(self) -> None:
        waiting = [task.due_at for task in self._sim.store.tasks.all() if task.id not in self._errands]
        pauses = [self._sim.clock.real_seconds_until(moment) for moment in waiting]
        pause = min([max(pause, 0.0) for pause in pauses], default=_MAX_SLEEP_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), min(pause, _MAX_SLEEP_SECONDS))

    async def _run_errand(self, client: httpx.AsyncClient | None, task: TaskRecord) -> None:
        """The task is forgotten only after the try, so a restart tries again: at least once."""
        await ERRANDS[task.action](self._sim, client, task)
        self._sim.store.tasks.remove(str(task.id))

    async def _run_beside(self, client: httpx.AsyncClient, task: TaskRecord) -> None:
        async with self._slots:
            await self._run_errand(client, task)
        self._sim.store.commit()
        del self._errands[task.id]
        self.wake()

    async def _stop_errands(self) -> None:
        tasks = list(self._errands.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
