"""What the stand-in does by itself: settle charges, move transfers and refunds on, deliver webhooks and try again."""

import asyncio
import contextlib

import httpx

from gateways.payment import Mode
from gateways.paystack.sim import disputes, payments, refunds, settlements, transfers
from gateways.paystack.sim.records import Attempt, DeliveryRecord, TaskRecord
from gateways.paystack.sim.state import Sim
from gateways.paystack.webhook import SIGNATURE_HEADER, signature

DELIVERED_STATUS = 200
ANSWER_SECONDS = 30.0
MIN_ANSWER_REAL_SECONDS = 2.0
_QUICK_TRIES, _QUICK_PAUSE_SECONDS = 4, 180.0
_HOUR_SECONDS = 3600.0
_HOURLY_TRIES = {Mode.LIVE: 72, Mode.TEST: 10}
_AT_ONCE = 16
_MAX_SLEEP_SECONDS = 60.0


def next_pause_seconds(mode: Mode, tries: int) -> float | None:
    """How long after that many failed tries the next one comes; None when Paystack gives up.

    Live: four tries three minutes apart, then hourly for 72 hours. Test: hourly for 10 hours.
    """
    quick = _QUICK_TRIES if mode is Mode.LIVE else 1
    if tries < quick:
        return _QUICK_PAUSE_SECONDS
    return _HOUR_SECONDS if tries < quick + _HOURLY_TRIES[mode] else None


class Agenda:
    """Performs tasks when they are due; one per stand-in, in its event loop."""

    def __init__(self, sim: Sim) -> None:
        """Nothing happens before `run`."""
        self._sim = sim
        self._wake = asyncio.Event()
        self._deliveries: dict[int, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def wake(self) -> None:
        """Look at the tasks again: there may be new ones, or it may be later."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        async with httpx.AsyncClient(trust_env=False, timeout=self._answer_seconds()) as client:
            try:
                while True:
                    self._wake.clear()
                    self._perform_due(client)
                    await self._sleep()
            finally:
                await self._stop_deliveries()

    async def run_due(self, client: httpx.AsyncClient | None) -> int:
        """Do what is due by now in the order of its time, one after the other; return how much that was."""
        done = 0
        while tasks := self._due():
            await self._do(client, tasks[0])
            done += 1
        return done

    async def _do(self, client: httpx.AsyncClient | None, task: TaskRecord) -> None:
        if task.action == "webhook":
            await self._deliver(client, task)
        else:
            self._sim.store.tasks.remove(str(task.id))
            self._perform(task)
        self._sim.store.commit()

    def _perform_due(self, client: httpx.AsyncClient) -> None:
        """Repeat while tasks make further tasks that are due at once."""
        while tasks := self._due():
            for task in tasks:
                if task.action == "webhook":
                    self._deliveries[task.id] = asyncio.create_task(self._deliver_beside(client, task))
                else:
                    self._sim.store.tasks.remove(str(task.id))
                    self._perform(task)
            self._sim.store.commit()

    def _due(self) -> list[TaskRecord]:
        now = self._sim.clock.text()
        idle = (task for task in self._sim.store.tasks.all() if task.id not in self._deliveries)
        return sorted((task for task in idle if task.due_at <= now), key=lambda task: (task.due_at, task.id))

    def _perform(self, task: TaskRecord) -> None:
        match task.action:
            case "settle":
                settlements.settle_due(self._sim, task.key)
            case "pay":
                payments.pay_late(self._sim, task.key)
            case "transfer":
                transfers.move_later(self._sim, task.key, task.argument)
            case "refund":
                refunds.move_later(self._sim, task.key, task.argument)
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
        waiting = [task.due_at for task in self._sim.store.tasks.all() if task.id not in self._deliveries]
        pauses = [self._sim.clock.real_seconds_until(moment) for moment in waiting]
        pause = min([max(pause, 0.0) for pause in pauses], default=_MAX_SLEEP_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), min(pause, _MAX_SLEEP_SECONDS))

    async def _deliver_beside(self, client: httpx.AsyncClient, task: TaskRecord) -> None:
        async with self._slots:
            await self._deliver(client, task)
        self._sim.store.commit()
        del self._deliveries[task.id]
        self.wake()

    async def _deliver(self, client: httpx.AsyncClient | None, task: TaskRecord) -> None:
        """The task is forgotten only after the try, so a restart tries again: at least once."""
        delivery = self._sim.store.deliveries.get(task.key)
        if delivery is not None:
            status = await self._post(client, delivery)
            self._record(delivery, status, tries=int(task.argument or "0") + 1)
        self._sim.store.tasks.remove(str(task.id))

    def _record(self, delivery: DeliveryRecord, status: int, *, tries: int) -> None:
        delivery.attempts.append(Attempt(at=self._sim.clock.text(), status=status))
        pause_seconds = next_pause_seconds(self._sim.mode, tries)
        if status == DELIVERED_STATUS:
            delivery.state = "delivered"
        elif pause_seconds is not None:
            self._sim.later(pause_seconds, "webhook", str(delivery.id), str(tries))
        elif delivery.state == "pending":
            delivery.state = "given_up"
        self._sim.store.deliveries.put(str(delivery.id), delivery)

    async def _post(self, client: httpx.AsyncClient | None, delivery: DeliveryRecord) -> int:
        """The status of the answer, or 0 without one."""
        if client is None or self._sim.behaviour.webhook_url is None:
            return 0
        raw = delivery.body.encode()
        headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signature(self._sim.secret, raw)}
        try:
            answer = await client.post(self._sim.behaviour.webhook_url, content=raw, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            return 0
        return answer.status_code

    def _answer_seconds(self) -> float:
        return max(ANSWER_SECONDS / self._sim.clock.scale, MIN_ANSWER_REAL_SECONDS)

    async def _stop_deliveries(self) -> None:
        tasks = list(self._deliveries.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
