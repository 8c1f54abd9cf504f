"""Receiving a file: as it arrives, in bounds, onto the disk and never into memory."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import cast

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyTooSlow, FormMalformed
from api.files.media import HEAD_BYTES, LARGEST_FILE, MediaType, inspect, recognise, require_size
from api.files.media.errors import FileTooLarge
from api.files.multipart import SingleFile
from gateways.objects import Draft

AROUND_BYTES = 64 * 1024
"""What a form may have besides its file."""
LARGEST_FORM = LARGEST_FILE + AROUND_BYTES
SLOWEST_SECONDS = 10.0
LONGEST_SECONDS = 900.0
DRAINED_BYTES = 1024 * 1024
DRAINED_SECONDS = 2.0


async def receive_file(http: Request, draft: Draft) -> tuple[bytes, MediaType]:
    """Write the one file of the form to the draft; return what it was called, and what it is.

    Raises FileExpected, FormMalformed, BodyTooSlow, and what `inspect` raises: too large a file is refused as soon as
    it is, whatever it said before.
    """
    form = SingleFile(http.headers.get("content-type", ""))
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            await _write_pieces(http, form, draft)
    except TimeoutError:
        raise BodyTooSlow from None
    form.finish()
    return form.file_name, await asyncio.to_thread(inspect, draft.path)


async def _write_pieces(http: Request, form: SingleFile, draft: Draft) -> None:
    """Write what the form holds as it comes."""
    head, found = b"", None
    async for piece in _read_pieces(http):
        data = form.feed(piece)
        head = head + data[:HEAD_BYTES] if len(head) < HEAD_BYTES else head
        if found is None and len(head) >= HEAD_BYTES:
            found = recognise(head)
        if found is not None:
            require_size(found, draft.size_bytes + len(data))
        if data:
            await draft.write(data)


async def _read_pieces(http: Request) -> AsyncGenerator[bytes]:
    """Yield the body as it comes. Raises FileTooLarge, TimeoutError when it stops, FormMalformed when it ends.

    A timeout around a `yield` would cancel whoever takes the pieces, and not this.
    """
    length = http.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > LARGEST_FORM:
        raise FileTooLarge(limit_bytes=LARGEST_FILE)
    received, more = 0, True
    while more:
        async with asyncio.timeout(SLOWEST_SECONDS):
            message = await http.receive()
        if message["type"] == "http.disconnect":
            raise FormMalformed
        piece = cast("bytes", message.get("body", b""))
        received += len(piece)
        if received > LARGEST_FORM:
            raise FileTooLarge(limit_bytes=LARGEST_FILE)
        yield piece
        more = bool(message.get("more_body"))


async def pass_unread(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Pass on a request whose route reads the body itself, after it knows who asks; close when it left some of it.

    What was not read would be taken for the next request. A little of it is read away first: a client that is still
    sending would otherwise lose the answer with the connection.
    """
    is_read = False

    async def receive_some() -> Message:
        nonlocal is_read
        message = await receive()
        is_read = is_read or not message.get("more_body")
        return message

    async def send_closing(message: Message) -> None:
        if message["type"] == "http.response.start" and not is_read:
            cast("list[tuple[bytes, bytes]]", message["headers"]).append((b"connection", b"close"))
            if all(name != b"expect" for name, _ in cast("list[tuple[bytes, bytes]]", scope["headers"])):
                await _drain(receive_some)
        await send(message)

    await app(scope, receive_some, send_closing)


async def _drain(receive: Receive) -> None:
    left, more = DRAINED_BYTES, True
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAINED_SECONDS):
            while more and left > 0:
                message = await receive()
                left -= len(cast("bytes", message.get("body", b"")))
                more = bool(message.get("more_body"))
