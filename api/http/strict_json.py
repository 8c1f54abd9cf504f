"""The ASGI layer that reads every body, in bounds and strictly, before the framework sees the request."""

import asyncio
import re
from email.message import Message
from typing import cast

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as AsgiMessage

from api.errors import BodyTooLarge, BodyTooSlow, MalformedJson, MediaTypeUnsupported
from api.files.upload import pass_unread
from api.http.front_door import ClientGone
from api.http.json_reader import read_json
from api.http.problems import problem_of
from api.http.scope import BODY, RAW, request_id_of
from domain.errors import EscrowError

LARGEST_BODY = 64 * 1024
LARGEST_WEBHOOK = 1024 * 1024
SLOWEST_SECONDS = 10.0
JSON_TYPE = b"application/json"
WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
IDENTITY = frozenset({b"", b"identity"})

Headers = dict[bytes, bytes]


class StrictJson:
    """Reads and checks the body of every request that may have one; the routes get it parsed.

    Deliveries to `webhook_paths` are read as they are: their signature covers the bytes, whatever they say. What is
    sent to `upload_paths` is left to their routes, which look first who sends it.
    """

    def __init__(self, app: ASGIApp, *, webhook_paths: frozenset[str], upload_paths: re.Pattern[str]) -> None:
        """Stand in front of `app`."""
        self._app = app
        self._webhook_paths = webhook_paths
        self._upload_paths = upload_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body, or answer with a problem. Raises ClientGone."""
        if scope["type"] != "http" or scope["method"] not in WITH_BODY:
            await self._app(scope, receive, send)
            return
        if self._is_upload(scope):
            await pass_unread(self._app, scope, receive, send)
            return
        try:
            raw = await self._read(scope, receive)
        except EscrowError as error:
            response = problem_of(error, request_id_of(scope))
            # What was not read of the body would be taken for the next request.
            response.headers["Connection"] = "close"
            await response(scope, receive, send)
            return
        scope[RAW] = raw
        await self._app(scope, replay(raw, receive), send)

    def _is_upload(self, scope: Scope) -> bool:
        """Whatever the method and the type: that the address takes neither is the route's to say."""
        if not self._upload_paths.fullmatch(cast("str", scope["path"])):
            return False
        headers = cast("Headers", dict(scope["headers"]))
        return headers.get(b"content-encoding", b"").strip().lower() in IDENTITY

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        headers = cast("Headers", dict(scope["headers"]))
        if scope["path"] in self._webhook_paths:
            return await _read_body(headers, receive, LARGEST_WEBHOOK)
        if headers.get(b"content-encoding", b"").strip().lower() not in IDENTITY:
            raise MediaTypeUnsupported
        length = headers.get(b"content-length")
        if length == b"0" or (length is None and b"transfer-encoding" not in headers):
            return b""
        check_json_type(headers.get(b"content-type", b""))
        raw = await _read_body(headers, receive, LARGEST_BODY)
        if raw:
            scope[BODY] = read_json(raw)
        return raw


def check_json_type(value: bytes) -> None:
    """Raise MediaTypeUnsupported unless it is application/json, in UTF-8 if it says in what."""
    if value == JSON_TYPE:
        return
    message = Message()
    message["content-type"] = value.decode("latin-1")
    charset = message.get_param("charset", "utf-8")
    if message.get_content_type() != "application/json" or str(charset).lower() not in {"utf-8", "utf8"}:
        raise MediaTypeUnsupported


async def _read_body(headers: Headers, receive: Receive, limit: int) -> bytes:
    length = headers.get(b"content-length")
    if length is not None and not length.isdigit():
        raise MalformedJson
    if length is not None and int(length) > limit:
        raise BodyTooLarge
    try:
        async with asyncio.timeout(SLOWEST_SECONDS):
            return await _collect(receive, limit)
    except TimeoutError:
        raise BodyTooSlow from None


async def _collect(receive: Receive, limit: int) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += cast("bytes", message.get("body", b""))
        if len(body) > limit:
            raise BodyTooLarge
        more = bool(message.get("more_body"))
    return body


def replay(raw: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body once more, then whatever follows it."""
    told = False

    async def receive_again() -> AsgiMessage:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": raw, "more_body": False}

    return receive_again
