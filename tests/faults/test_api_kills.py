"""The API is killed while clients work over HTTP: what was acknowledged is there, and each command exactly once."""

import asyncio
import json
import time
from collections.abc import Callable, Generator
from pathlib import Path

import httpx
import psycopg
import pytest

from database.postgres import EmbeddedServer
from tests.eventstore.running import in_loop
from tests.faults.api_process import ApiProcess, Seller, sign_in_seller
from tests.faults.journal import Journal
from tests.faults.purses import run_checker

CLIENTS = 8
HEAL_SECONDS = 30.0
BETWEEN_SECONDS = 0.5
COMMANDS = "SELECT encode(command_id, 'hex'), count(*) FROM idempotency GROUP BY command_id"


@pytest.fixture
def api(victim: EmbeddedServer, tmp_path: Path) -> Generator[ApiProcess]:
    """Running, on a server of its own."""
    running = ApiProcess(victim.home, tmp_path / "api.log")
    running.start()
    yield running
    running.kill()


@in_loop
async def test_no_kill_of_the_api_loses_or_doubles_a_command(
    victim: EmbeddedServer, api: ApiProcess, tmp_path: Path
) -> None:
    await kill_under_load(victim, api, tmp_path / "journal", kills=2)


@in_loop
async def test_no_restart_of_the_api_loses_or_doubles_a_command(
    victim: EmbeddedServer, api: ApiProcess, tmp_path: Path
) -> None:
    await kill_under_load(victim, api, tmp_path / "journal", kills=2, end=api.stop)


@pytest.mark.soak
@in_loop
async def test_no_kill_of_the_api_loses_or_doubles_a_command_50_times(
    victim: EmbeddedServer, api: ApiProcess, tmp_path: Path
) -> None:
    await kill_under_load(victim, api, tmp_path / "journal", kills=50)


async def kill_under_load(
    server: EmbeddedServer, api: ApiProcess, path: Path, *, kills: int, end: Callable[[], None] | None = None
) -> None:
    stopping = asyncio.Event()
    with Journal(path) as journal:
        async with httpx.AsyncClient(base_url=api.base_url, timeout=10, trust_env=False) as client:
            working = asyncio.gather(*[work(server, client, journal, number, stopping) for number in range(CLIENTS)])
            await served(journal, working)
            for _ in range(kills):
                await asyncio.sleep(BETWEEN_SECONDS)
                await asyncio.to_thread(end or api.kill)
                await asyncio.to_thread(api.start)
                await served(journal, working)
            stopping.set()
            await working
    check(path, server)


async def work(
    server: EmbeddedServer, client: httpx.AsyncClient, journal: Journal, number: int, stopping: asyncio.Event
) -> None:
    user_id, token = await sign_in_seller(server.superuser_dsn("escrow"), server.dsn("app"))
    seller = Seller(client, journal, user_id, token, number)
    while not stopping.is_set():
        await seller.act()


async def served(journal: Journal, working: asyncio.Future[list[None]]) -> None:
    """Clients get answers again."""
    enough, until = journal.acked + 2 * CLIENTS, time.monotonic() + HEAL_SECONDS
    while journal.acked < enough:
        assert not working.done(), working.exception()
        assert time.monotonic() < until, "it did not heal in time"
        await asyncio.sleep(0.02)


def check(path: Path, server: EmbeddedServer) -> None:
    """By the checker; and every acknowledged or rejected command is once, or not, among those answered."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    outcomes = {line["command"]: line for line in lines if line["kind"] == "complete"}
    kinds = [line["outcome"] for line in outcomes.values()]
    assert kinds.count("acked") > 4 * CLIENTS
    assert kinds.count("rejected") > 0, "nothing was refused: the check of refusals would be empty"
    assert {line["status"] for line in outcomes.values() if line["outcome"] == "rejected"} <= {409, 422}
    assert run_checker(path, server.dsn("app")) == []
    with psycopg.connect(server.superuser_dsn("escrow")) as connection:
        answered = dict(connection.execute(COMMANDS).fetchall())
    assert {name for name, line in outcomes.items() if line["outcome"] == "acked"} == set(answered)
    assert set(answered.values()) == {1}


@in_loop
async def test_commands_need_no_payment_processor(victim: EmbeddedServer, api: ApiProcess, tmp_path: Path) -> None:
    """Nobody listens where the processor should: the API is ready, and what needs no money goes on."""
    with Journal(tmp_path / "journal") as journal:
        async with httpx.AsyncClient(base_url=api.base_url, timeout=10, trust_env=False) as client:
            user_id, token = await sign_in_seller(victim.superuser_dsn("escrow"), victim.dsn("app"))
            seller = Seller(client, journal, user_id, token, 1)
            for _ in range(5):
                await seller.act()
            assert (await client.get("/ops/readiness")).status_code == 200
    assert journal.acked >= 1
    assert run_checker(tmp_path / "journal", victim.dsn("app")) == []
