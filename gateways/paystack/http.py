"""One HTTP exchange with Paystack. POSTs and PUTs are sent once; only GETs, which change nothing, are asked again."""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import httpx
import structlog

from domain.loopback import LOOPBACK
from gateways.errors import (
    BaseUrlUnsafe,
    GatewayError,
    GatewayKeyRefused,
    GatewayThrottled,
    GatewayUnavailable,
    GatewayUncertain,
    WrongMode,
)
from gateways.paystack.errors import read_answer
from gateways.paystack.limiter import Budget, Limiter, Sleep
from gateways.paystack.payload import JsonObject, require_mode
from gateways.paystack.secret import SecretKey

PAYSTACK_URL = "https://api.paystack.co"
_MAX_ANSWER_BYTES = 8 * 1024 * 1024
_IDLE_SECONDS = 2.0  # a connection idle for longer may be closed just as a payout is written to it: a needless doubt
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

logger = structlog.get_logger("gateways")


def hide_query(record: logging.LogRecord) -> bool:
    """Cut the query off addresses that httpx logs: account numbers and signatures of uploads stand there."""
    if isinstance(record.args, tuple):
        record.args = tuple(arg.copy_with(query=None) if isinstance(arg, httpx.URL) else arg for arg in record.args)
    return True


logging.getLogger("httpx").addFilter(hide_query)

Params = Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """`read_seconds` bounds each silence, `total_seconds` the whole exchange, however slowly it drips."""

    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    total_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a GET is asked, and after what pause again: random, up to a bound that begins here and doubles."""

    attempts: int = 3
    first_pause_seconds: float = 0.2
    max_pause_seconds: float = 5.0


class PaystackHttp:
    """An httpx client that ignores proxies of the environment and follows no redirects; close it with `aclose`."""

    def __init__(
        self,
        *,
        secret: SecretKey,
        base_url: str = PAYSTACK_URL,
        timeouts: Timeouts | None = None,
        retries: Retries | None = None,
        limiter: Limiter | None = None,
        sleep: Sleep = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Raise `BaseUrlUnsafe` for a base URL that would show the key; `jitter` returns 0.0 to 1.0.

        `transport` takes the place of the network, for uploads too.
        """
        self.mode = secret.mode
        self.timeouts = timeouts or Timeouts()
        self._base_url = check_base_url(base_url)
        self.is_local = urlsplit(self._base_url).scheme == "http"
        self._retries = retries or Retries()
        self._limiter = limiter or Limiter()
        self._sleep = sleep
        self._jitter = jitter
        self.transport = transport
        self._client = _client(secret, self.timeouts, transport)

    async def get(self, path: str, params: Params | None = None) -> JsonObject:
        """Ask a question, again after a failure that may pass; return the envelope or raise a `GatewayError`."""
        for attempt in range(1, self._retries.attempts):
            try:
                return await self._exchange("GET", path, Budget.READ, params=params)
            except (GatewayUncertain, GatewayUnavailable) as error:
                pause = self._pause(attempt, error)
                logger.warning("gateway_asked_again", path=path, attempt=attempt, pause_seconds=pause, error=str(error))
            await self._sleep(pause)
        return await self._exchange("GET", path, Budget.READ, params=params)

    async def post(self, path: str, body: JsonObject, budget: Budget = Budget.WRITE) -> JsonObject:
        """Send a command exactly once; return the envelope or raise a `GatewayError`."""
        return await self._exchange("POST", path, budget, body=body)

    async def put(self, path: str, body: JsonObject, budget: Budget = Budget.WRITE) -> JsonObject:
        """Send a change exactly once; return the envelope or raise a `GatewayError`."""
        return await self._exchange("PUT", path, budget, body=body)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _pause(self, attempt: int, error: GatewayError) -> float:
        """Raise the error where waiting would not help, or would take too long for somebody who waits."""
        if isinstance(error, GatewayKeyRefused | WrongMode):
            raise error
        asked = error.retry_after_seconds if isinstance(error, GatewayThrottled) else 0.0
        if asked > self._retries.max_pause_seconds:
            raise error
        bound = min(self._retries.first_pause_seconds * 2 ** (attempt - 1), self._retries.max_pause_seconds)
        return asked + bound * self._jitter()

    async def _exchange(
        self, method: str, path: str, budget: Budget, *, params: Params | None = None, body: JsonObject | None = None
    ) -> JsonObject:
        await self._limiter.take(budget)
        request = self._client.build_request(method, self._base_url + path, params=params, json=body)
        answer = await self._send(request)
        if isinstance(answer, GatewayError):
            raise answer
        response, raw = answer
        try:
            envelope = read_answer(method, response.status_code, raw, response.headers.get("retry-after"))
            return require_mode(envelope, self.mode)
        except GatewayThrottled as error:
            self._limiter.pause(budget, error.retry_after_seconds)
            raise

    async def _send(self, request: httpx.Request) -> tuple[httpx.Response, bytes] | GatewayError:
        """Return the error instead of raising it: httpx's own carries the request, and with it the key."""
        try:
            async with asyncio.timeout(self.timeouts.total_seconds):
                response = await self._client.send(request, stream=True)
                try:
                    return response, await _read(response)
                finally:
                    await response.aclose()
        except NEVER_SENT as error:
            return GatewayUnavailable(type(error).__name__)
        except (httpx.HTTPError, TimeoutError) as error:
            return GatewayUncertain(type(error).__name__)


async def _read(response: httpx.Response) -> bytes:
    raw = bytearray()
    async for chunk in response.aiter_bytes():
        raw += chunk
        if len(raw) > _MAX_ANSWER_BYTES:
            raise httpx.DecodingError("answer too large", request=response.request)
    return bytes(raw)


def check_base_url(base_url: str) -> str:
    """Return the address without a slash at its end. Raises `BaseUrlUnsafe`, without repeating it."""
    try:
        safe = _is_safe(urlsplit(base_url))
    except ValueError:
        raise BaseUrlUnsafe from None
    if not safe:
        raise BaseUrlUnsafe
    return base_url.rstrip("/")


def _is_safe(parts: SplitResult) -> bool:
    """Raise ValueError for a port that is none."""
    local = parts.scheme == "http" and parts.hostname in LOOPBACK
    elsewhere = parts.scheme == "https" and bool(parts.hostname)
    plain = not (parts.query or parts.fragment or parts.username) and parts.port != 0
    return (local or elsewhere) and plain


def _client(secret: SecretKey, timeouts: Timeouts, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        headers={"Authorization": f"Bearer {secret.reveal()}", "Accept": "application/json"},
        timeout=httpx.Timeout(timeouts.read_seconds, connect=timeouts.connect_seconds),
        limits=httpx.Limits(max_connections=50, keepalive_expiry=_IDLE_SECONDS),
        trust_env=False,
        follow_redirects=False,
        transport=transport,
    )
