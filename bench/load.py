"""A load generator, in a process that `bench.http` starts, with PORT and FILE; one answer as JSON on standard output.

FILE has one line per request: the number of a connection and the raw request, base64. Each connection sends its own one
after the other, the next when the answer to the last is there. Raw sockets: a client library would be the bottleneck.
"""

import asyncio
import base64
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from time import perf_counter

import uvloop

END = b"\r\n\r\n"
LENGTH = b"content-length: "


class Connection(asyncio.Protocol):
    """Sends its requests one by one; `done` is set when the last answer is there."""

    def __init__(self, requests: list[bytes], statuses: Counter[str], seconds: list[float]) -> None:
        """What to send, and where to count."""
        self.requests = iter(requests)
        self.statuses = statuses
        self.seconds = seconds
        self.done = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.sent_at = 0.0
        self.transport: asyncio.Transport

    def connection_lost(self, exc: Exception | None) -> None:
        """An answer is still owed if `done` is not set."""
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError("the server hung up"))

    def send(self) -> None:
        """The next one, or say that all is done."""
        request = next(self.requests, None)
        if request is None:
            self.done.set_result(None)
            self.transport.close()
            return
        self.sent_at = perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Part of an answer; a whole one is counted and the next request goes out."""
        self.buffer += data
        head = self.buffer.find(END)
        if head < 0:
            return
        start = self.buffer.lower().find(LENGTH, 0, head + 2)
        assert start > 0, self.buffer[:200]
        length = int(self.buffer[start + len(LENGTH) : self.buffer.find(b"\r\n", start)])
        if len(self.buffer) < head + len(END) + length:
            return
        self.seconds.append(perf_counter() - self.sent_at)
        self.statuses[self.buffer[9:12].decode()] += 1
        self.buffer = b""
        self.send()


async def drive(port: int, requests: dict[int, list[bytes]]) -> dict[str, object]:
    """Open all connections, then start them at once."""
    statuses, seconds = Counter[str](), list[float]()
    loop = asyncio.get_running_loop()
    connections: list[Connection] = []
    for own in requests.values():
        transport, connection = await loop.create_connection(
            lambda own=own: Connection(own, statuses, seconds), "127.0.0.1", port
        )
        connection.transport = transport
        connections.append(connection)
    began = perf_counter()
    for connection in connections:
        connection.send()
    await asyncio.gather(*[connection.done for connection in connections])
    elapsed = perf_counter() - began
    seconds.sort()
    return {
        "rate": len(seconds) / elapsed,
        "statuses": statuses,
        "p50_ms": seconds[len(seconds) // 2] * 1000,
        "p99_ms": seconds[len(seconds) * 99 // 100] * 1000,
    }


def main() -> None:
    """Read, drive, print."""
    requests: dict[int, list[bytes]] = defaultdict(list)
    for line in Path(sys.argv[2]).read_text(encoding="ascii").splitlines():
        number, encoded = line.split()
        requests[int(number)].append(base64.b64decode(encoded))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(drive(int(sys.argv[1]), requests))))


if __name__ == "__main__":
    main()
