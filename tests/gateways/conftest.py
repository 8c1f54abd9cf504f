"""The real client against the real stand-in over real HTTP on the loopback interface, and a merchant who listens."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from domain.money import Currency, Money
from gateways.payment import ChargeLink, NewCharge, NewRecipient, NewRefund, NewTransfer, Recipient
from gateways.paystack.client import Paystack
from gateways.paystack.http import PaystackHttp, Retries, Timeouts
from gateways.paystack.limiter import UNLIMITED_PER_MINUTE, Limiter
from gateways.paystack.secret import SecretKey
from gateways.paystack.sim.server import StandIn, build_sim
from gateways.paystack.sim.state import Behaviour
from tests.standing import standing
from tests.waiting import wait_until

SECRET = SecretKey("sk_test_0123456789abcdef")
PRICE = Money(100_000, Currency.KES)


def an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


class Merchant:
    """Receives webhooks; answers 200 unless `statuses` says otherwise for the next ones."""

    def __init__(self) -> None:
        self.received: list[tuple[bytes, str]] = []
        self.statuses: list[int] = []
        merchant = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                merchant.received.append((raw, self.headers["x-paystack-signature"]))
                self.send_response(merchant.statuses.pop(0) if merchant.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is http.server's)
                """Stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks/paystack"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def wait_for(self, count: int) -> list[tuple[bytes, str]]:
        wait_until(lambda: len(self.received) >= count)
        return self.received


class Panel:
    """The control panel of the stand-in and the buttons of its checkout."""

    def __init__(self, base_url: str) -> None:
        self.http = httpx.Client(base_url=base_url, trust_env=False)

    def fault(self, endpoint: str, kind: str, **details: object) -> None:
        assert self.http.post("/_sim/faults", json={"endpoint": endpoint, "kind": kind, **details}).status_code == 201

    def top_up(self, amount_minor: int, currency: str = "KES") -> None:
        answer = self.http.post("/_sim/balance", json={"currency": currency, "amount_minor": amount_minor})
        assert answer.status_code == 200

    def click(self, link: ChargeLink, outcome: str) -> httpx.Response:
        return self.http.post(link.authorization_url, json={"outcome": outcome})

    def journal(self) -> list[dict[str, object]]:
        return self.http.get("/_sim/journal").json()["lines"]

    def moved(self, kind: str) -> list[object]:
        return [line["difference_minor"] for line in self.journal() if line["kind"] == kind]

    def held(self, pocket: str, currency: str = "KES") -> int:
        return self.http.get("/_sim/journal").json()["pockets"][pocket][currency]

    def drive(self, path: str, status: str) -> httpx.Response:
        return self.http.post(f"/_sim/{path}", json={"status": status})

    def advance(self, seconds: int) -> None:
        assert self.http.post("/_sim/clock", json={"advance_seconds": seconds}).status_code == 200

    def webhooks(self) -> list[dict[str, object]]:
        return self.http.get("/_sim/webhooks").json()["webhooks"]


def make_http(base_url: str, *, secret: SecretKey = SECRET, read_seconds: float = 5.0, **more: object) -> PaystackHttp:
    """A client's connection with short waits."""
    return PaystackHttp(
        secret=secret,
        base_url=base_url,
        timeouts=Timeouts(connect_seconds=1.0, read_seconds=read_seconds, total_seconds=10.0),
        retries=Retries(first_pause_seconds=0.01, max_pause_seconds=1.0),
        limiter=Limiter(UNLIMITED_PER_MINUTE),
        **more,  # pyright: ignore[reportArgumentType]
    )


@pytest.fixture
def merchant() -> Iterator[Merchant]:
    merchant = Merchant()
    yield merchant
    merchant.server.shutdown()
    merchant.server.server_close()


@pytest.fixture
def hold_seconds() -> float:
    """How long the stand-in keeps silent where it was told to, if the client does not hang up before."""
    return Behaviour().hold_seconds


@pytest.fixture
def stand_in(merchant: Merchant, hold_seconds: float) -> Iterator[StandIn]:
    behaviour = Behaviour(webhook_url=merchant.url, hold_seconds=hold_seconds)
    with standing(build_sim(secret=SECRET, behaviour=behaviour, seed=1)) as stand_in:
        yield stand_in


@pytest.fixture
def panel(stand_in: StandIn) -> Iterator[Panel]:
    panel = Panel(stand_in.base_url)
    yield panel
    panel.http.close()


@pytest.fixture
async def paystack(stand_in: StandIn) -> AsyncIterator[Paystack]:
    async with Paystack(make_http(stand_in.base_url)) as paystack:
        yield paystack


def charge(reference: str = "ch-1", amount: Money = PRICE, **more: object) -> NewCharge:
    return NewCharge(reference=reference, amount=amount, email="buyer@example.com", **more)  # pyright: ignore[reportArgumentType]


def payee(number: str = "0712345678", currency: Currency = Currency.KES) -> NewRecipient:
    return NewRecipient(type="mobile_money", name="Seller", account_number=number, bank_code="MPESA", currency=currency)


def payout(recipient: Recipient, reference: str = "po-0000000000000001", amount_minor: int = 90_000) -> NewTransfer:
    amount = Money(amount_minor, Currency.KES)
    return NewTransfer(reference=reference, recipient_code=recipient.recipient_code, amount=amount, reason="Payout")


def money_back(amount_minor: int = 30_000, note: str = "rf-1", reference: str = "ch-1") -> NewRefund:
    amount = Money(amount_minor, Currency.KES)
    return NewRefund(charge_reference=reference, amount=amount, merchant_note=note)


async def pay(paystack: Paystack, panel: Panel, reference: str = "ch-1") -> ChargeLink:
    """A charge that the buyer has paid."""
    link = await paystack.initialize(charge(reference))
    assert (await asyncio.to_thread(panel.click, link, "success")).status_code == 200
    return link
