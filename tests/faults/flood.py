"""Far more clients than the API can serve, over bare sockets: a client library would be slower than what it floods."""

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.journal import Journal
from tests.raw_http import connection, raw_command, raw_request, read_answer

ANSWER_SECONDS = 30.0
LONGEST_HEALING_SECONDS = 20.0
LISTINGS = "POST /api/v1/listings"
BODY = json.dumps(
    {"title": "An account", "description": "As new", "price": {"amount_minor": 5, "currency": "NGN"}}
).encode()
SHED = frozenset({"503", "429"})
SERVED = frozenset({"201"})


@dataclass
class Flood:
    """What came of it: how often which answer, and how long those took who were served."""

    port: int
    people: Sequence[tuple[str, str]]
    journal: Journal
    outcomes: Counter[str] = field(default_factory=Counter[str])
    seconds: list[float] = field(default_factory=list[float])

    async def run(self, connections: int, until: float) -> None:
        """So many clients that ask again as soon as they are answered; each asks once, however long connecting took."""
        await asyncio.gather(*[self._ask_on(number, until) for number in range(connections)])

    async def _ask_on(self, client: int, until: float) -> None:
        person, token = self.people[client % len(self.people)]
        try:
            async with connection(self.port) as (reader, writer):
                await self._ask(reader, writer, person, token, f"{client}-0")
                number = 0
                while time.monotonic() < until:
                    number += 1
                    await self._ask(reader, writer, person, token, f"{client}-{number}")
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            self.outcomes[type(error).__name__] += 1

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, person: str, token: str, key: str
    ) -> None:
        name = hashlib.sha256(f"{person}\n{key}".encode()).hexdigest()
        self.journal.invoke(name)
        began = time.monotonic()
        writer.write(request(token, key))
        async with asyncio.timeout(ANSWER_SECONDS):
            status, headers = await read_answer(reader)
        self.outcomes[status] += 1
        if status in SERVED:
            self.seconds.append(time.monotonic() - began)
            self.journal.complete(name, "acked", position=int(headers["escrow-position"]))
        else:
            self.journal.complete(name, "unknown", why=status, retry_after=headers.get("retry-after"))
            await asyncio.sleep(0.1)


@asynccontextmanager
async def idlers(port: int, count: int):
    """Connections that say nothing, and half as many that begin a request and never end it."""
    async with AsyncExitStack() as stack:
        for number in range(count):
            _, writer = await stack.enter_async_context(connection(port))
            if number % 2:
                writer.write(raw_request(LISTINGS, Content_Length="100").removesuffix(b"\r\n"))
        yield


def request(token: str, key: str) -> bytes:
    """The bytes of one command."""
    return raw_command(LISTINGS, BODY, token, key)


def peak_bytes(pid: int) -> int:
    """The most memory that the process has ever had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def judge(outcomes: Counter[str], *, grown_bytes: int, most_bytes: int, healed_seconds: float) -> list[str]:
    """What is wrong: everything but an answer or a refusal, memory without bound, a recovery that takes long."""
    wrong = [f"{times} x {kind}" for kind, times in outcomes.items() if kind not in SERVED | SHED]
    wrong += [] if any(outcomes[kind] for kind in SERVED) else ["nobody was served"]
    wrong += [f"memory grew by {grown_bytes >> 20} MiB"] if grown_bytes > most_bytes else []
    return wrong + ([f"it healed after {healed_seconds:.1f} s"] if healed_seconds > LONGEST_HEALING_SECONDS else [])
