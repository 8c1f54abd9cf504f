"""The stand-in's own books are right after everything that can happen, and it notices when they are not."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random

import httpx
import pytest

from gateways.paystack.sim.endpoints import PLACES
from gateways.paystack.sim.faults import CHAOS, KINDS, parse_faults
from gateways.paystack.sim.in_process import InProcess
from gateways.paystack.sim.server import build_sim
from gateways.paystack.sim.state import Behaviour, Sim
from tests.gateways.conftest import SECRET

pytestmark = pytest.mark.anyio

KEY = {"Authorization": f"Bearer {SECRET.reveal()}"}
PAYEE = {"type": "mobile_money", "name": "S", "account_number": "0712", "bank_code": "MPESA", "currency": "KES"}
MISCHIEF = (
    "chaos,transfer:otp@0.1,transfer:late@0.1,transfer:blocked@0.1,checkout:customer_bears_fee@0.1,"
    "dispute:chargeback_lost@0.5+60,refund:pending@0.1"
)


class Business:
    """A merchant who does random things at a stand-in full of faults, hour after hour, from one seed."""

    def __init__(self, seed: int, settles_to: str) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.chance = Random(seed)
        behaviour = Behaviour.model_validate(
            {"settles_to": settles_to, "settle_seconds": 7200.0, "refund_seconds": 600.0, "transfer_seconds": 300.0}
        )
        sim = build_sim(secret=SECRET, seed=seed, clock=lambda: self.now, behaviour=behaviour)
        for fault in parse_faults(MISCHIEF):
            sim.faults.add(fault)
        self.paystack = InProcess(sim)
        self.http = httpx.AsyncClient(transport=self.paystack.transport, base_url=self.paystack.base_url, headers=KEY)
        self.count = 0

    async def live(self, steps: int) -> None:
        await self.http.post("/_sim/balance", json={"currency": "KES", "amount_minor": 500_000})
        for _ in range(steps):
            act = self.chance.choice([self.sell, self.sell, self.pay, self.refund, self.settle, self.wait])
            try:
                await act()
            except (httpx.ReadTimeout, httpx.RemoteProtocolError):
                continue
            assert self.paystack.audit().problems == ()

    async def sell(self) -> None:
        self.count += 1
        wanted = {"email": "b@x.y", "amount": self.chance.randint(1, 200_000), "currency": "KES"}
        opened = await self.http.post("/transaction/initialize", json={**wanted, "reference": f"ch-{self.count}"})
        if opened.status_code == 200:
            outcome = self.chance.choice(["success", "success", "failed", "late"])
            await self.http.post(opened.json()["data"]["authorization_url"], json={"outcome": outcome})

    async def pay(self) -> None:
        self.count += 1
        made = await self.http.post("/transferrecipient", json=PAYEE)
        if made.status_code == 201:
            amount, reference = self.chance.randint(1, 100_000), f"po-{self.chance.randint(1, 30):016d}"
            code = made.json()["data"]["recipient_code"]
            body = {"source": "balance", "currency": "KES", "amount": amount, "recipient": code, "reference": reference}
            await self.http.post("/transfer", json=body)

    async def refund(self) -> None:
        body = {"transaction": f"ch-{self.chance.randint(1, self.count + 1)}", "amount": self.chance.randint(1, 50_000)}
        await self.http.post("/refund", json=body)

    async def settle(self) -> None:
        await self.http.post("/_sim/settlements", json={})

    async def wait(self) -> None:
        self.now += timedelta(hours=self.chance.choice([0.1, 1, 20]))
        await self.paystack.run_due()


@pytest.fixture
async def clients() -> AsyncIterator[list[httpx.AsyncClient]]:
    clients: list[httpx.AsyncClient] = []
    yield clients
    for client in clients:
        await client.aclose()


@pytest.mark.parametrize("settles_to", ["balance", "bank"])
async def test_the_books_stay_right_whatever_happens(clients: list[httpx.AsyncClient], settles_to: str) -> None:
    met: set[str] = set()
    for seed in range(4):
        business = Business(seed, settles_to)
        clients.append(business.http)
        await business.live(200)
        store = business.paystack.sim.store
        met |= {f"refund {refund.status}" for refund in store.refunds.all()}
        met |= {f"transfer {transfer.status}" for transfer in store.transfers.all()}
        met |= {f"dispute {dispute.resolution}" for dispute in store.disputes.all()}
    wanted = {"refund processed", "refund failed", "transfer failed", "transfer blocked", "dispute auto-accepted"}
    assert met >= wanted | {"transfer success"}, "too little happened"


async def test_a_run_full_of_faults_replays_to_the_byte(clients: list[httpx.AsyncClient]) -> None:
    seen: list[tuple[str, str, str]] = []
    for seed in (5, 5, 6):
        business = Business(seed, "balance")
        clients.append(business.http)
        await business.live(150)
        paths = ("/_sim/journal", "/_sim/objects", "/_sim/webhooks")
        journal, objects, webhooks = [(await business.http.get(path)).text for path in paths]
        seen.append((journal, objects, webhooks))
    assert seen[0] == seen[1]
    assert seen[0] != seen[2]


def _wrong_sum(sim: Sim) -> None:
    sim.store.journal.all()[0].difference_minor += 1


def _lost_line(sim: Sim) -> None:
    sim.store.journal.remove(str(sim.store.journal.all()[-1].id))


def _second_transfer(sim: Sim) -> None:
    sim.move("transfer", "balance", "KES", -5, "po-1", 1)


def _forgotten_refund(sim: Sim) -> None:
    sim.store.refunds.remove(str(sim.store.refunds.all()[0].id))


@pytest.mark.parametrize("spoil", [_wrong_sum, _lost_line, _second_transfer, _forgotten_refund])
async def test_books_that_are_wrong_are_noticed(
    clients: list[httpx.AsyncClient], spoil: object, anyio_backend: str
) -> None:
    del anyio_backend
    business = Business(1, "balance")
    clients.append(business.http)
    await business.live(60)
    assert (await business.http.get("/_sim/audit")).json()["ok"]
    assert callable(spoil)
    spoil(business.paystack.sim)
    answer = await business.http.get("/_sim/audit")
    assert (answer.status_code, answer.json()["ok"]) == (500, False)
    assert answer.json()["problems"] != []


async def test_faults_are_read_from_words() -> None:
    once, some, often, late = parse_faults("500_before,transfer:fail*3,webhook:lost_webhook@0.25,transfer:late+60")
    assert (once.endpoint, once.kind, once.times, once.rate) == ("*", "500_before", 1, None)
    assert (some.endpoint, some.times) == ("transfer", 3)
    assert (often.endpoint, often.rate) == ("webhook", 0.25)
    assert late.delay_seconds == 60
    for fault in parse_faults("chaos"):
        assert (fault.kind in KINDS, fault.endpoint in PLACES) == (True, True)
    assert len(parse_faults("chaos")) == len(CHAOS)


@pytest.mark.parametrize(
    "word", ["", "transfer:", "transfer:nonsense", "fail@2", "fail@x", "fail*0", "a b", "fail@0.1*2"]
)
async def test_words_that_are_no_faults_are_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_faults(word)
