"""HTTP as bytes on a socket: for what a client library would put right, do too slowly, or wait for."""

import asyncio
import re
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

LARGEST_READ = 65_536
LENGTH = re.compile(rb"^content-length: ([0-9]+)", re.IGNORECASE | re.MULTILINE)


def raw_request(target: str, body: bytes = b"", **headers: str) -> bytes:
    """`target` is such as "POST /path"; an underscore in a header's name stands for "-". The length is the body's
    unless `Content_Length` says another one."""
    named = {"Host": "x", "Content_Length": str(len(body)), **headers}
    lines = [f"{target} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in named.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def raw_command(target: str, body: bytes, token: str, key: str, **headers: str) -> bytes:
    """A command with a body of JSON, as a client who is signed in sends it."""
    authorized = {"Authorization": f"Bearer {token}", "Idempotency_Key": key, "Content_Type": "application/json"}
    return raw_request(target, body, **authorized, **headers)


@contextmanager
def dial(base_url: str, timeout: float = 15.0) -> Generator[socket.socket]:
    """A connection to the server, closed at the end; a silent server times out."""
    server = urlsplit(base_url)
    with socket.create_connection((server.hostname or "", server.port or 0), timeout) as wire:
        yield wire


def exchange(base_url: str, request: bytes) -> bytes:
    """Send bytes as they are and return what comes back, whole; nothing if the server just closes."""
    with dial(base_url) as wire:
        wire.sendall(request)
        answer = b""
        try:
            while not is_whole(answer) and (part := wire.recv(LARGEST_READ)):
                answer += part
        except ConnectionError:
            pass
        return answer


def is_whole(answer: bytes) -> bool:
    """Whether the head is there, and as much of the body as it says."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    return bool(end) and (length is None or len(body) >= int(length[1]))


@asynccontextmanager
async def connection(
    port: int, local_address: str | None = None
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to this machine that is closed at the end; `local_address` is from where it seems to come."""
    here = None if local_address is None else (local_address, 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=here)
    try:
        yield reader, writer
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    """Return the status and the headers, their names in lower case; the body is read and let go."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    await reader.readexactly(int(headers.get("content-length", 0)))
    return head[0].split(" ")[1], headers
