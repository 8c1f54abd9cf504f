"""How an answer fails to arrive: over a socket by silence or hanging up, in process by raising what a client would.

A client cannot time out against an application that runs inside its own event loop, so in process the error that httpx
would have met is raised through the application instead. Either way the work is done or not done as the fault says.
"""

import asyncio
from typing import NoReturn, Protocol

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

POLL_SECONDS = 0.02


class Wire(Protocol):
    """What lies between the stand-in and its client."""

    async def pause(self, seconds: float) -> None:
        """Let the client wait that long for its answer."""
        ...

    async def keep_silent(self, request: Request) -> Response:
        """Give no answer in time."""
        ...

    def cut_off(self) -> Response:
        """Break off in the middle of the answer."""
        ...


class Socket:
    """A real connection; silence lasts until the client gives up, or for `hold_seconds` of real time."""

    def __init__(self, hold_seconds: float) -> None:
        """How patient it is with a client that never gives up."""
        self._hold_seconds = hold_seconds

    async def pause(self, seconds: float) -> None:
        """Sleep in real time."""
        await asyncio.sleep(seconds)

    async def keep_silent(self, request: Request) -> Response:
        """Wait for the client to hang up."""
        for _ in range(int(self._hold_seconds / POLL_SECONDS)):
            if await request.is_disconnected():
                break
            await asyncio.sleep(POLL_SECONDS)
        return Response("Gateway timeout", 504, media_type="text/plain")

    def cut_off(self) -> Response:
        """Announce more than will come."""
        return _CutOff()


class Direct:
    """No connection at all: `httpx.ASGITransport` hands on what is raised here."""

    async def pause(self, seconds: float) -> None:
        """Take no time: time is the caller's."""
        del seconds

    async def keep_silent(self, request: Request) -> NoReturn:
        """Raise `httpx.ReadTimeout`."""
        del request
        raise httpx.ReadTimeout("the stand-in keeps silent")

    def cut_off(self) -> NoReturn:
        """Raise `httpx.RemoteProtocolError`."""
        raise httpx.RemoteProtocolError("the stand-in hung up")


class _CutOff(Response):
    """An answer that breaks off: the server closes the connection because less came than was announced."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        headers = [(b"content-type", b"application/json"), (b"content-length", b"4096")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"status":', "more_body": True})
