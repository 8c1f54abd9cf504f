"""A server that answers what a test tells it to, over real HTTP, and keeps what it was asked."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> object:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What to answer: an envelope around `data`, or `raw` bytes, with a status and more headers."""

    data: object = None
    status: int = 200
    meta: object = None
    headers: str = ""
    raw: bytes | None = None

    def on_the_wire(self) -> bytes:
        envelope = {"status": self.status < 400, "message": "said", "data": self.data, "meta": self.meta}
        body = json.dumps(envelope).encode() if self.raw is None else self.raw
        head = f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{self.headers}\r\n"
        return head.encode() + body


class Scripted:
    """Gives its replies one after the other; the last one again and again."""

    def __init__(self, *replies: Reply) -> None:
        self.replies: Sequence[Reply] = replies
        self.asked: list[Asked] = []

    async def __aenter__(self) -> "Scripted":
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        parts = urlsplit(target)
        self.asked.append(Asked(method, parts.path, parse_qs(parts.query), headers, body))
        writer.write(self.replies[min(len(self.asked), len(self.replies)) - 1].on_the_wire())
        await writer.drain()
        writer.close()
