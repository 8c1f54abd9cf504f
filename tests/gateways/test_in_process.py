"""The stand-in without socket, thread or real time: the caller's clock decides when something happens."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateways.paystack.sim.in_process import InProcess
from gateways.paystack.sim.server import build_sim
from gateways.paystack.sim.state import Behaviour
from gateways.paystack.webhook import parse_envelope, verify_signature
from tests.gateways.conftest import SECRET

pytestmark = pytest.mark.anyio

KEY = {"Authorization": f"Bearer {SECRET.reveal()}"}
PAYEE = {"type": "mobile_money", "name": "S", "account_number": "0712", "bank_code": "MPESA", "currency": "KES"}
CHAOS = ("lost_webhook", "duplicate_webhook", "reorder_webhook")


class World:
    """A clock that stands still, an escrow that answers with `status`, and a stand-in between them."""

    def __init__(self, seed: int = 7, *, settle_seconds: float = 0.0) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.status = 200
        self.received: list[str] = []
        escrow = Starlette(routes=[Route("/hook", self._receive, methods=["POST"])])
        self.merchant = httpx.AsyncClient(transport=httpx.ASGITransport(escrow))
        sim = build_sim(
            secret=SECRET,
            seed=seed,
            clock=lambda: self.now,
            behaviour=Behaviour(webhook_url="http://escrow/hook", settle_seconds=settle_seconds),
        )
        self.paystack = InProcess(sim, merchant=self.merchant)
        self.http = httpx.AsyncClient(transport=self.paystack.transport, base_url=self.paystack.base_url, headers=KEY)

    async def _receive(self, request: Request) -> Response:
        raw = await request.body()
        assert verify_signature(SECRET, raw, request.headers["x-paystack-signature"])
        self.received.append(raw.decode())
        return Response(status_code=self.status)

    def events(self) -> list[str]:
        return [parse_envelope(raw.encode()).event for raw in self.received]

    async def pay(self, reference: str) -> None:
        wanted = {"email": "b@x.y", "amount": 100_000, "currency": "KES", "reference": reference}
        opened = (await self.http.post("/transaction/initialize", json=wanted)).json()
        await self.http.post(opened["data"]["authorization_url"], json={"outcome": "success"})

    async def pass_time(self, **duration: float) -> None:
        target = self.now + timedelta(**duration)
        while (due_at := self.paystack.next_due_at()) is not None and due_at <= target:
            self.now = max(self.now, due_at)
            await self.paystack.run_due()
        self.now = target


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.http.aclose()
    await world.merchant.aclose()


async def test_nothing_happens_before_the_caller_says_so(world: World) -> None:
    await world.pay("ch-1")
    assert world.received == []
    assert await world.paystack.run_due() == 1
    assert world.events() == ["charge.success"]
    assert await world.paystack.run_due() == 0
    assert world.paystack.next_due_at() is None


async def test_a_webhook_without_200_comes_again_at_the_documented_times(world: World) -> None:
    world.status = 500
    await world.pay("ch-1")
    await world.pass_time(hours=9)
    assert len(world.received) == 10
    world.status = 200
    await world.pass_time(hours=100)
    assert len(world.received) == 11


@pytest.mark.parametrize(
    ("kind", "error", "is_done"),
    [
        ("accept_then_timeout", httpx.ReadTimeout, True),
        ("timeout_before", httpx.ReadTimeout, False),
        ("reset_after_commit", httpx.RemoteProtocolError, True),
        ("reset_before", httpx.RemoteProtocolError, False),
    ],
)
async def test_a_call_that_breaks_raises_what_a_client_would_meet(
    world: World, kind: str, error: type[Exception], is_done: bool
) -> None:
    await world.http.post("/_sim/faults", json={"endpoint": "recipient", "kind": kind})
    with pytest.raises(error):
        await world.http.post("/transferrecipient", json=PAYEE)
    assert bool(world.paystack.sim.store.recipients.all()) is is_done


async def test_a_slow_call_takes_no_real_time(world: World) -> None:
    await world.http.post("/_sim/faults", json={"endpoint": "balance", "kind": "slow", "delay_seconds": 3600})
    assert (await world.http.get("/balance")).status_code == 200


async def _story(seed: int) -> tuple[list[str], str]:
    world = World(seed, settle_seconds=3600.0)
    for kind in CHAOS:
        await world.http.post("/_sim/faults", json={"endpoint": "webhook", "kind": kind, "rate": 0.3})
    for number in range(12):
        await world.pay(f"ch-{number}")
        await world.pass_time(minutes=2)
    await world.pass_time(hours=2)
    journal = (await world.http.get("/_sim/journal")).text
    await world.http.aclose()
    await world.merchant.aclose()
    return world.received, journal


async def test_the_same_seed_tells_the_same_story_to_the_byte() -> None:
    first, again, other = await _story(7), await _story(7), await _story(8)
    assert first == again
    assert first[0] != other[0]


async def test_rates_lose_repeat_and_reorder_webhooks() -> None:
    received, _ = await _story(7)
    references = [str(parse_envelope(raw.encode()).reference) for raw in received]
    order = [int(reference.removeprefix("ch-")) for reference in references]
    assert len(set(order)) < 12, "some are lost"
    assert len(order) > len(set(order)), "some come twice"
    assert order != sorted(order), "some overtake others"


async def test_a_live_merchant_is_told_for_three_days(world: World) -> None:
    await world.http.post("/_sim/settings", json={"retries": "live"})
    world.status = 503
    await world.pay("ch-1")
    await world.pass_time(minutes=10)
    assert len(world.received) == 4
    await world.pass_time(hours=100)
    assert len(world.received) == 76
    (hook,) = (await world.http.get("/_sim/webhooks")).json()["webhooks"]
    assert hook["state"] == "given_up"
    world.status = 200
    await world.http.post(f"/_sim/webhooks/{hook['id']}/resend", json={})
    await world.pass_time(seconds=1)
    assert len(set(world.received)) == 1, "the same bytes each time"
    assert (await world.http.get("/_sim/webhooks")).json()["webhooks"][0]["state"] == "delivered"


async def test_one_call_too_many_waits_for_the_next_minute(world: World) -> None:
    await world.http.post("/_sim/settings", json={"calls_per_minute": 2})
    world.now += timedelta(seconds=15)
    answers = [await world.http.get("/balance") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "45"
    world.now += timedelta(seconds=45)
    assert (await world.http.get("/balance")).status_code == 200
