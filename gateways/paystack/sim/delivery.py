"""What the stand-in sends to its merchant: webhooks, again until he answers 200, and whether he approves a transfer."""

import httpx

from gateways.payment import Mode
from gateways.paystack.sim import transfers
from gateways.paystack.sim.records import Attempt, DeliveryRecord, TaskRecord
from gateways.paystack.sim.state import Sim
from gateways.paystack.webhook import SIGNATURE_HEADER, signature

DELIVERED_STATUS = 200
ANSWER_SECONDS = 30.0
APPROVAL_SECONDS = 5.0
MIN_ANSWER_REAL_SECONDS = 2.0
_QUICK_TRIES, _QUICK_PAUSE_SECONDS = 4, 180.0
_HOUR_SECONDS = 3600.0
_HOURLY_TRIES = {Mode.LIVE: 72, Mode.TEST: 10}
_VERDICTS = {200: "approved", 400: "rejected"}


def next_pause_seconds(mode: Mode, tries: int) -> float | None:
    """How long after that many failed tries the next one comes; None when Paystack gives up.

    Live: four tries three minutes apart, then hourly for 72 hours. Test: hourly for 10 hours.
    """
    quick = _QUICK_TRIES if mode is Mode.LIVE else 1
    if tries < quick:
        return _QUICK_PAUSE_SECONDS
    return _HOUR_SECONDS if tries < quick + _HOURLY_TRIES[mode] else None


async def deliver(sim: Sim, client: httpx.AsyncClient | None, task: TaskRecord) -> None:
    """Try once to deliver the webhook of a task, and plan the next try if it is not answered with 200."""
    delivery = sim.store.deliveries.get(task.key)
    if delivery is None:
        return
    status = await _post(sim, client, sim.behaviour.webhook_url, delivery.body, ANSWER_SECONDS)
    delivery.attempts.append(Attempt(at=sim.clock.text(), status=status))
    tries = int(task.argument or "0") + 1
    pause_seconds = next_pause_seconds(sim.retries, tries)
    if status == DELIVERED_STATUS:
        delivery.state = "delivered"
    elif pause_seconds is not None:
        sim.later(pause_seconds, "webhook", str(delivery.id), str(tries))
    elif delivery.state == "pending":
        delivery.state = "given_up"
    sim.store.deliveries.put(str(delivery.id), delivery)


async def ask_approval(sim: Sim, client: httpx.AsyncClient | None, task: TaskRecord) -> None:
    """Ask the approval URL about the transfer of a task: 200 lets it go on, 400 rejects it, all else blocks it."""
    transfer = sim.store.transfers.get(task.key)
    if transfer is None or transfer.status != "received":
        return
    body = sim.body(transfers.APPROVAL_EVENT, transfers.approval_view(sim, transfer))
    status = await _post(sim, client, sim.behaviour.approval_url, body, APPROVAL_SECONDS)
    verdict = _VERDICTS.get(status, "blocked")
    question = DeliveryRecord(
        id=sim.store.next_id(),
        event=transfers.APPROVAL_EVENT,
        reference=transfer.reference,
        body=body,
        created_at=sim.clock.text(),
        state=verdict,
        attempts=[Attempt(at=sim.clock.text(), status=status)],
    )
    sim.store.deliveries.put(str(question.id), question)
    transfers.decide(sim, transfer.reference, verdict)


async def _post(sim: Sim, client: httpx.AsyncClient | None, url: str | None, body: str, patience_seconds: float) -> int:
    """The status of the answer, or 0 without one. The signature is over the bytes that are sent."""
    if client is None or url is None:
        return 0
    raw = body.encode()
    headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signature(sim.secret, raw)}
    patience = max(patience_seconds / sim.clock.scale, MIN_ANSWER_REAL_SECONDS)
    try:
        answer = await client.post(url, content=raw, headers=headers, timeout=patience)
    except (httpx.HTTPError, httpx.InvalidURL):
        return 0
    return answer.status_code
