"""The outermost ASGI layer: bounds on headers, the request id, the count and the time, and the last resort."""

import re
import time
import traceback
from collections.abc import Callable
from typing import cast

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import HeaderInvalid, HeadersTooLarge
from api.http.problems import problem_of, translate
from api.http.scope import REQUEST_ID
from api.metrics import UNMATCHED, Metrics
from domain.errors import SERVER_ERROR, EscrowError

MOST_HEADERS = 64
LARGEST_HEADERS = 16 * 1024
LONGEST_TARGET = 8 * 1024
# Of two the next program on the way may believe the other one.
SENT_ONCE = frozenset(
    {b"authorization", b"content-type", b"idempotency-key", b"if-match", b"wait-for-position", b"x-paystack-signature"}
)
FIT_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")

logger = structlog.get_logger("api")

CLIENT_GONE = 499
"""What is counted for a client who has not waited for an answer; RFC 9110 has no number for it, servers write this."""

RawHeaders = list[tuple[bytes, bytes]]


class ClientGone(Exception):
    """The client closed the connection before its body was complete; nobody is left to answer."""


class FrontDoor:
    """Every request enters and every answer leaves through here; it never raises for an HTTP request."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, make_id: Callable[[], str]) -> None:
        """`make_id` names requests that bring no fit X-Request-Id of their own."""
        self._app = app
        self._metrics = metrics
        self._make_id = make_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, whatever happens."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope, send, self._make_id)
        started = time.perf_counter()
        try:
            if exchange.refusal is not None:
                await problem_of(exchange.refusal, exchange.request_id)(scope, receive, exchange.send)
            else:
                await self._app(scope, receive, exchange.send)
        except ClientGone:
            exchange.status = CLIENT_GONE
        except Exception as error:
            await self._answer(error, exchange, receive)
        finally:
            self._metrics.observe(route_of(scope), exchange.status, time.perf_counter() - started)

    async def _answer(self, error: Exception, exchange: "Exchange", receive: Receive) -> None:
        problem = translate(error)
        if problem.status == SERVER_ERROR:
            # Neither message nor locals: they may hold what the client sent.
            frames = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
            logger.error("unhandled", request_id=exchange.request_id, error=type(error).__name__, frames=frames[-12:])
        if not exchange.has_started:
            await problem_of(problem, exchange.request_id)(exchange.scope, receive, exchange.send)


class Exchange:
    """One request and what is known of its answer."""

    __slots__ = ("_send", "has_started", "refusal", "request_id", "scope", "status")

    def __init__(self, scope: Scope, send: Send, make_id: Callable[[], str]) -> None:
        """Look at the headers once."""
        self.scope = scope
        self._send = send
        self.status = SERVER_ERROR
        self.has_started = False
        headers = cast("RawHeaders", scope["headers"])
        target = len(cast("bytes", scope.get("raw_path") or b"")) + len(cast("bytes", scope["query_string"]))
        self.refusal = refuse(headers, target)
        given = next((value for name, value in headers if name == b"x-request-id"), b"")
        self.request_id = given.decode() if FIT_ID.fullmatch(given) else make_id()
        scope[REQUEST_ID] = self.request_id

    async def send(self, message: Message) -> None:
        """Put the request id on the answer, and forbid browsers to guess what it is."""
        if message["type"] == "http.response.start":
            self.has_started = True
            self.status = cast("int", message["status"])
            headers = cast("RawHeaders", message["headers"])
            headers.append((b"x-request-id", self.request_id.encode()))
            headers.append((b"x-content-type-options", b"nosniff"))
        await self._send(message)


def refuse(headers: RawHeaders, target_length: int) -> EscrowError | None:
    """Return what is wrong with the head of a request, if anything."""
    size = sum(len(name) + len(value) for name, value in headers)
    if size > LARGEST_HEADERS or len(headers) > MOST_HEADERS or target_length > LONGEST_TARGET:
        return HeadersTooLarge()
    sole = [name for name, _ in headers if name in SENT_ONCE]
    return HeaderInvalid() if len(sole) > len(set(sole)) else None


def route_of(scope: Scope) -> str:
    """The method and template of the route that answered, as metrics name it."""
    path = getattr(scope.get("route"), "path", None)
    return UNMATCHED if path is None else f"{scope['method']} {path}"
