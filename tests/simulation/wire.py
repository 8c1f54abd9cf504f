"""The line to the processor: requests reach the stand-in in this process, or not, and answers come back, or not."""

import random

import httpx

from domain.ids import Clock
from gateways.paystack.client import Paystack
from gateways.paystack.http import PaystackHttp, Retries
from gateways.paystack.limiter import UNLIMITED_PER_MINUTE, Limiter
from gateways.paystack.secret import SecretKey

BEFORE = ("unreachable", "timeout_before", "500_before", "throttled")
AFTER = ("timeout_after", "500_after", "reset_after", "garbage_after")
ADDRESS = "http://127.0.0.1"


class Wire(httpx.AsyncBaseTransport):
    """A transport that fails as often as `rate` says, by the die; `rate` can be set back to 0.0."""

    def __init__(self, inner: httpx.AsyncBaseTransport, die: random.Random, rate: float) -> None:
        self._inner, self._die, self.rate = inner, die, rate

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fault = self._die.choice(BEFORE + AFTER) if self.rate and self._die.random() < self.rate else ""
        if fault in BEFORE:
            return self._fail(fault, request)
        response = await self._inner.handle_async_request(request)
        content = await response.aread()
        if fault:
            return self._fail(fault, request)
        return httpx.Response(response.status_code, content=content, headers=response.headers, request=request)

    @staticmethod
    def _fail(fault: str, request: httpx.Request) -> httpx.Response:
        match fault:
            case "unreachable":
                raise httpx.ConnectError("unreachable", request=request)
            case "timeout_before" | "timeout_after":
                raise httpx.ReadTimeout("timeout", request=request)
            case "reset_after":
                raise httpx.RemoteProtocolError("reset", request=request)
            case "throttled":
                return httpx.Response(429, json={"status": False, "message": "Too many requests"}, request=request)
            case "garbage_after":
                return httpx.Response(200, text="<html>Bad gateway</html>", request=request)
            case _:
                return httpx.Response(500, json={"status": False, "message": "broken"}, request=request)


async def _at_once(seconds: float) -> None:
    """Pauses between two tries take no time of anybody."""


def connect(secret: SecretKey, wire: Wire, clock: Clock) -> Paystack:
    """The real client over that line."""
    http = PaystackHttp(
        secret=secret,
        base_url=ADDRESS,
        retries=Retries(attempts=2),
        limiter=Limiter(UNLIMITED_PER_MINUTE, monotonic=lambda: clock().timestamp(), sleep=_at_once),
        sleep=_at_once,
        jitter=lambda: 0.0,
        transport=wire,
    )
    return Paystack(http)
