"""How the client behaves towards a server that is away, slow, broken or in a hurry, and what it shows of itself."""

import asyncio
import logging
import os
import socket

import httpx
import pytest

from gateways.errors import GatewayKeyRefused, GatewayThrottled, GatewayUnavailable, GatewayUncertain
from gateways.paystack.client import Paystack
from gateways.paystack.http import PaystackHttp, Retries, Timeouts
from gateways.paystack.limiter import Budget, Limiter
from gateways.paystack.secret import SecretKey
from gateways.paystack.sim.server import StandIn
from tests.gateways.conftest import Merchant, Panel, charge, make_http, payee

pytestmark = pytest.mark.anyio

CANARY = SecretKey("sk_test_canary0123456789")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class RawServer:
    """Answers every connection with the same bytes, or with silence."""

    def __init__(self, answer: bytes, *, drip_seconds: float = 0.0) -> None:
        self.answer = answer
        self.drip_seconds = drip_seconds
        self.requests: list[bytes] = []

    async def __aenter__(self) -> "RawServer":
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await reader.read(65536))
        for piece in [self.answer] if not self.drip_seconds else [bytes([byte]) for byte in self.answer]:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(self.drip_seconds)
        writer.close()


def answer(body: bytes, head: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body)


async def test_a_server_that_is_not_there_means_nothing_happened() -> None:
    async with Paystack(make_http(f"http://127.0.0.1:{free_port()}")) as paystack:
        with pytest.raises(GatewayUnavailable):
            await paystack.initialize(charge())


async def test_a_connection_that_is_cut_means_nobody_knows() -> None:
    async with RawServer(b"") as server, Paystack(make_http(server.url)) as paystack:
        with pytest.raises(GatewayUncertain):
            await paystack.initialize(charge())
        assert len(server.requests) == 1


async def test_an_answer_that_drips_for_ever_is_cut_off() -> None:
    limits = Timeouts(connect_seconds=1.0, read_seconds=1.0, total_seconds=0.3)
    async with RawServer(answer(b"x" * 1000), drip_seconds=0.01) as server:
        http = PaystackHttp(secret=CANARY, base_url=server.url, timeouts=limits, retries=Retries(attempts=1))
        with pytest.raises(GatewayUncertain):
            await http.get("/balance")
        await http.aclose()


async def test_an_answer_that_never_ends_is_not_swallowed() -> None:
    async with RawServer(answer(b" " * (9 * 1024 * 1024))) as server, Paystack(make_http(server.url)) as paystack:
        with pytest.raises(GatewayUncertain):
            await paystack.initialize(charge())


async def test_a_redirect_is_not_followed_and_the_key_stays_here() -> None:
    async with RawServer(answer(b"{}")) as elsewhere:
        away = b"HTTP/1.1 302 Found\r\nLocation: %s/\r\nContent-Length: 0\r\n\r\n" % elsewhere.url.encode()
        async with RawServer(away) as server, Paystack(make_http(server.url)) as paystack:
            with pytest.raises(GatewayUncertain):
                await paystack.initialize(charge())
        assert elsewhere.requests == []


async def test_proxies_of_the_environment_are_ignored(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    assert os.environ["HTTP_PROXY"]
    async with Paystack(make_http(stand_in.base_url)) as paystack:
        await paystack.balance()


async def test_an_answer_about_another_reference_is_uncertain() -> None:
    body = b'{"status":true,"data":{"reference":"ch-2","authorization_url":"u","access_code":"a"}}'
    async with RawServer(answer(body)) as server, Paystack(make_http(server.url)) as paystack:
        with pytest.raises(GatewayUncertain, match="another reference"):
            await paystack.initialize(charge())


@pytest.mark.parametrize("kind", ["500_before", "reset_before", "garbage_after_commit"])
async def test_a_question_is_asked_three_times(paystack: Paystack, panel: Panel, kind: str) -> None:
    panel.fault("balance", kind, times=2)
    assert await paystack.balance()
    panel.fault("balance", kind, times=3)
    with pytest.raises(GatewayUncertain):
        await paystack.balance()


async def test_the_pause_between_questions_doubles(stand_in: StandIn, panel: Panel) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    panel.fault("balance", "500_before", times=2)
    async with Paystack(make_http(stand_in.base_url, sleep=sleep, jitter=lambda: 1.0)) as paystack:
        await paystack.balance()
    assert pauses == [0.01, 0.02]


async def test_a_command_is_sent_once(paystack: Paystack, panel: Panel) -> None:
    panel.fault("initialize", "500_before", times=5)
    with pytest.raises(GatewayUncertain):
        await paystack.initialize(charge())
    assert panel.http.get("/_sim/faults").json()["faults"][0]["times"] == 4


async def test_retry_after_is_obeyed_for_questions(stand_in: StandIn, panel: Panel) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    panel.fault("balance", "throttle", delay_seconds=1)
    async with Paystack(make_http(stand_in.base_url, sleep=sleep, jitter=lambda: 0.0)) as paystack:
        await paystack.balance()
    assert pauses == [1.0]


async def test_a_long_retry_after_is_handed_to_the_caller(paystack: Paystack, panel: Panel) -> None:
    panel.fault("balance", "throttle", delay_seconds=600)
    with pytest.raises(GatewayThrottled) as caught:
        await paystack.balance()
    assert caught.value.retry_after_seconds == 600
    with pytest.raises(GatewayThrottled, match="limiter"):
        await paystack.balance()


async def test_a_wrong_key_is_told_from_a_refusal_and_not_tried_again(stand_in: StandIn) -> None:
    async with Paystack(make_http(stand_in.base_url, secret=CANARY)) as paystack:
        with pytest.raises(GatewayKeyRefused, match="Invalid key"):
            await paystack.balance()


async def test_the_key_shows_in_no_error_and_no_log(
    stand_in: StandIn, panel: Panel, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    panel.fault("balance", "refuse", message=f"no such key {CANARY.reveal()}", status=500, times=9)
    shown: list[str] = []
    async with Paystack(make_http(stand_in.base_url, secret=CANARY)) as paystack:
        for call in (paystack.balance(), paystack.create_recipient(payee())):
            with pytest.raises(GatewayUnavailable) as caught:
                await call
            error = caught.value
            shown += [str(error), repr(error), repr(error.facts), repr(error.__cause__), repr(error.__context__)]
    away = Paystack(make_http(f"http://127.0.0.1:{free_port()}", secret=CANARY))
    for call in (away.balance(), away.initialize(charge())):
        with pytest.raises(GatewayUnavailable) as caught:
            await call
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    printed = "".join(capsys.readouterr())
    assert "gateway_asked_again" in printed
    assert "canary" not in " ".join([*shown, str(caught.value), caplog.text, printed])


async def test_the_limiter_spaces_calls_and_refuses_to_wait_too_long() -> None:
    now = [100.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    limiter = Limiter({Budget.TRANSFER: 60}, max_wait_seconds=5.0, monotonic=lambda: now[0], sleep=sleep)
    for _ in range(11):
        await limiter.take(Budget.TRANSFER)
    assert now[0] == 100.0
    await limiter.take(Budget.TRANSFER)
    assert now[0] == 101.0
    limiter.pause(Budget.TRANSFER, 30.0)
    with pytest.raises(GatewayThrottled) as caught:
        await limiter.take(Budget.TRANSFER)
    assert caught.value.retry_after_seconds == 30.0


async def test_who_waits_already_waits_for_the_end_of_a_pause_too_or_is_told_to_come_back() -> None:
    now, sent = [100.0], list[float]()

    async def sleep(seconds: float) -> None:
        due_at = now[0] + seconds
        while now[0] < due_at:
            await asyncio.sleep(0)

    async def send() -> None:
        await limiter.take(Budget.TRANSFER)
        sent.append(now[0])

    async def let_pass(seconds: float) -> None:
        for _ in range(int(seconds / 0.5)):
            for _ in range(5):
                await asyncio.sleep(0)
            now[0] += 0.5

    limiter = Limiter({Budget.TRANSFER: 60}, max_wait_seconds=5.0, monotonic=lambda: now[0], sleep=sleep)
    for _ in range(11):
        await limiter.take(Budget.TRANSFER)
    waiting = [asyncio.create_task(send()) for _ in range(3)]
    await let_pass(0.5)
    limiter.pause(Budget.TRANSFER, 3.0)
    await let_pass(10)
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert sent == [104.0, 105.0], "spaced again, behind those whose turn was after the pause"
    assert [type(outcome) for outcome in outcomes] == [type(None), type(None), GatewayThrottled]


async def test_budgets_do_not_wait_for_each_other() -> None:
    limiter = Limiter({Budget.READ: 60, Budget.REFUND: 60})
    limiter.pause(Budget.REFUND, 60.0)
    await limiter.take(Budget.READ)
    with pytest.raises(GatewayThrottled):
        await limiter.take(Budget.REFUND)


async def test_the_merchant_is_not_called_with_the_key(paystack: Paystack, merchant: Merchant, panel: Panel) -> None:
    panel.click(await paystack.initialize(charge()), "success")
    raw, header = merchant.wait_for(1)[0]
    assert b"sk_test" not in raw
    assert "sk_test" not in header


def test_a_client_of_httpx_hides_the_authorization_header() -> None:
    headers = httpx.Headers({"Authorization": f"Bearer {CANARY.reveal()}"})
    assert "canary" not in repr(headers)
