"""People who work over HTTP and write down in the outside journal what they were told, and what must be true then."""

import asyncio
import hashlib
import json
import os
import random
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg

from database.connect import open_pool
from database.postgres import EmbeddedServer
from identity.session import Lifetimes, start_session
from projections.catch_up import catch_up_together
from projections.registry import PROJECTIONS
from replay.verify import verify
from tests.faults.api_process import ApiProcess
from tests.faults.journal import Journal
from tests.faults.purses import run_checker
from tests.waiting import until

CLIENTS = 8
HEAL_SECONDS = 30.0
USER = """
INSERT INTO users (id, email, email_is_unusual, display_name, legal_name, created_at, verified_at)
VALUES (%s, %s, false, 'Seller', 'Seller', now(), now())
"""
ROLE = "INSERT INTO user_roles (user_id, role, granted_at) VALUES (%s, 'seller', now())"
COMMANDS = "SELECT encode(command_id, 'hex'), count(*) FROM idempotency GROUP BY command_id"


async def sign_in_seller(superuser_dsn: str, app_dsn: str) -> tuple[str, str]:
    """A new verified seller; return his id and an access token."""
    user_id = uuid.uuid4()
    with psycopg.connect(superuser_dsn, autocommit=True) as connection:
        connection.execute(USER, [user_id, f"{user_id}@example.com"])
        connection.execute(ROLE, [user_id])
    async with open_pool(app_dsn, max_size=1, autocommit=True) as pool, pool.connection() as connection:
        at = datetime.now(UTC)
        tokens = await start_session(connection, user_id, at=at, random_bytes=os.urandom, lifetimes=Lifetimes())
    return str(user_id), tokens.access_token


class Seller:
    """Drafts listings, and now and then asks for what must be refused; retries with the same key until it knows, where
    there are several processes at the next one."""

    def __init__(
        self, clients: Sequence[httpx.AsyncClient], journal: Journal, user_id: str, token: str, seed: int
    ) -> None:
        self.clients = clients
        self.journal = journal
        self.user_id = user_id
        self.headers = {"Authorization": f"Bearer {token}"}
        self.random = random.Random(seed)
        self.drafted: list[str] = []
        self.number = 0
        self.turn = seed

    async def act(self) -> None:
        """One command, to its end."""
        self.number += 1
        if self.drafted and self.random.random() < 0.3:
            await self._send(f"/listings/{self.drafted[-1]}/submit", None)
            return
        price = {"amount_minor": self.random.randrange(1, 10**6), "currency": "NGN"}
        answer = await self._send("/listings", {"title": "An account", "description": "As new", "price": price})
        if answer is not None:
            self.drafted.append(answer["id"])

    async def _send(self, path: str, body: dict[str, object] | None) -> dict | None:
        key = f"{self.user_id}-{self.number}"
        name = hashlib.sha256(f"{self.user_id}\n{key}".encode()).hexdigest()
        while True:
            self.journal.invoke(name)
            answer = await self._try(path, body, key)
            if isinstance(answer, httpx.Response) and answer.is_success:
                replayed = "Idempotency-Replayed" in answer.headers
                self.journal.complete(name, "acked", position=int(answer.headers["Escrow-Position"]), replayed=replayed)
                return answer.json()
            if isinstance(answer, httpx.Response) and answer.status_code < 500 and "Retry-After" not in answer.headers:
                self.journal.complete(name, "rejected", status=answer.status_code, text=answer.text)
                return None
            why = str(answer.status_code) if isinstance(answer, httpx.Response) else type(answer).__name__
            self.journal.complete(name, "unknown", why=why)
            self.turn += 1
            await asyncio.sleep(0.05)

    async def _try(self, path: str, body: dict[str, object] | None, key: str) -> httpx.Response | httpx.TransportError:
        client = self.clients[self.turn % len(self.clients)]
        try:
            return await client.post(path, json=body, headers={**self.headers, "Idempotency-Key": key})
        except httpx.TransportError as error:
            return error


class Sellers:
    """Sellers who are at work."""

    def __init__(self, journal: Journal, working: asyncio.Future[list[None]]) -> None:
        self.journal = journal
        self.working = working

    async def is_served(self, times: int = 2 * CLIENTS) -> None:
        """Wait until so many commands more have been acknowledged, without anybody having done anything for it."""
        enough = self.journal.acked + times
        await until(lambda: self.working.done() or self.journal.acked >= enough, seconds=HEAL_SECONDS)
        assert not self.working.done(), self.working.exception()


@asynccontextmanager
async def sellers_at_work(
    server: EmbeddedServer, processes: Sequence[ApiProcess], path: Path
) -> AsyncGenerator[Sellers]:
    """Eight sellers for the length of the block; each finishes what it has begun."""
    stopping = asyncio.Event()
    async with AsyncExitStack() as stack:
        journal = stack.enter_context(Journal(path))
        made = [httpx.AsyncClient(base_url=each.base_url, timeout=10, trust_env=False) for each in processes]
        clients = [await stack.enter_async_context(client) for client in made]
        sellers = Sellers(
            journal, asyncio.gather(*[_work(server, clients, journal, number, stopping) for number in range(CLIENTS)])
        )
        try:
            await sellers.is_served()
            yield sellers
        finally:
            stopping.set()
            await sellers.working


async def _work(
    server: EmbeddedServer,
    clients: Sequence[httpx.AsyncClient],
    journal: Journal,
    number: int,
    stopping: asyncio.Event,
) -> None:
    user_id, token = await sign_in_seller(server.superuser_dsn("escrow"), server.dsn("app"))
    seller = Seller(clients, journal, user_id, token, number)
    while not stopping.is_set():
        await seller.act()


def check_answers(path: Path, server: EmbeddedServer) -> None:
    """By the checker; and every acknowledged or rejected command is once, or not, among those answered."""
    outcomes = {line["command"]: line for line in completions(path)}
    kinds = [line["outcome"] for line in outcomes.values()]
    assert kinds.count("acked") > 4 * CLIENTS
    assert kinds.count("rejected") > 0, "nothing was refused: the check of refusals would be empty"
    assert {line["status"] for line in outcomes.values() if line["outcome"] == "rejected"} <= {409, 422}
    assert run_checker(path, server.dsn("app")) == []
    with psycopg.connect(server.superuser_dsn("escrow")) as connection:
        answered = dict(connection.execute(COMMANDS).fetchall())
    assert {name for name, line in outcomes.items() if line["outcome"] == "acked"} == set(answered)
    assert set(answered.values()) == {1}


def check_log(server: EmbeddedServer) -> None:
    """The log is sound, and so is what is folded from it."""
    with psycopg.connect(server.dsn("app")) as connection:
        catch_up_together(connection, PROJECTIONS)
    report = verify(server.dsn("owner"), actor="tests", processes=1)
    assert report.ok, report.findings


def completions(path: Path) -> list[dict]:
    """What clients were told, attempt by attempt."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines if line["kind"] == "complete"]


def doubts(path: Path) -> Counter[str]:
    """Why clients had to ask again, and how often."""
    return Counter(line["why"] for line in completions(path) if line["outcome"] == "unknown")


def replays(path: Path) -> int:
    """How many commands had been done already when they were asked for again: their first answer was lost."""
    return sum(line["replayed"] for line in completions(path) if line["outcome"] == "acked")
