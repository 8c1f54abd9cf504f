"""The stand-in inside the caller's own event loop: no socket, no thread, no background task, no real time.

    sim = build_sim(secret=SECRET, seed=7, clock=clock, behaviour=Behaviour(webhook_url="http://escrow/…"))
    paystack = InProcess(sim, merchant=httpx.AsyncClient(transport=httpx.ASGITransport(escrow_api)))
    client = httpx.AsyncClient(transport=paystack.transport, base_url=paystack.base_url)
    await client.post("/_sim/faults", json={"endpoint": "transfer", "kind": "accept_then_timeout", "rate": 0.1})
    …
    while (due_at := paystack.next_due_at()) is not None and due_at <= target:
        clock.set(due_at)
        await paystack.run_due()

The caller owns the clock; nothing happens by itself until `run_due`, which does what is due in the order of its time:
settle, move transfers and refunds on, remind of disputes and accept them, ask the approval URL, deliver webhooks (to
`merchant`, the client that reaches the escrow) and try again. Everything is drawn from the seed, so the same calls at
the same times do exactly the same again. Where a client over a socket would time out or see the connection break, its
call raises `httpx.ReadTimeout` or `httpx.RemoteProtocolError`.
"""

from datetime import datetime

import httpx

from gateways.paystack.sim.agenda import Agenda
from gateways.paystack.sim.app import build_app
from gateways.paystack.sim.audit import Audit, audit
from gateways.paystack.sim.clock import parse_iso
from gateways.paystack.sim.state import Sim
from gateways.paystack.sim.wire import Direct

BASE_URL = "http://127.0.0.1"


class InProcess:
    """One merchant's account, driven by its caller; `base_url` is what the client must believe it speaks to."""

    def __init__(self, sim: Sim, *, merchant: httpx.AsyncClient | None = None) -> None:
        """Without `merchant` no webhook is answered. The caller closes it."""
        sim.base_url = sim.base_url or BASE_URL
        self.sim = sim
        self.base_url = sim.base_url
        self._merchant = merchant
        self._agenda = Agenda(sim)
        self.transport = httpx.ASGITransport(build_app(sim, self._agenda, Direct()))

    async def run_due(self) -> int:
        """Do everything that is due by now, one after the other; return how much that was."""
        return await self._agenda.run_due(self._merchant)

    def audit(self) -> Audit:
        """Whether its own books are right: look here first when books differ."""
        return audit(self.sim)

    def next_due_at(self) -> datetime | None:
        """When something happens next; None when nothing is planned."""
        tasks = self.sim.store.tasks.all()
        return parse_iso(min(task.due_at for task in tasks)) if tasks else None
