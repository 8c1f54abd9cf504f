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
        match task.action:
            case "settle":
                settlements.settle_due(self._sim, task.key)
            case "pay":
                payments.pay_late(self._sim, task.key)
            case "transfer":
                transfers.move_later(self._sim, task.key, task.argument)
            case "begin":
                transfers.decide(self._sim, task.key, "approved")
            case "refund":
                refunds.move_later(self._sim, task.key, task.argument)
            case _:
                self._perform_dispute(task)

    def _perform_dispute(self, task: TaskRecord) -> None:
        match task.action:
            case "dispute":
                disputes.open_later(self._sim, task.key)
            case "remind":
                disputes.remind(self._sim, task.key)
            case "due":
                disputes.accept_by_silence(self._sim, task.key)
            case "decide":
                disputes.decide_later(self._sim, task.key, task.argument)
            case _:
                raise ValueError(task.action)

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
