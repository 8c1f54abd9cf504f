"""Five hundred sign-ins a second from two hundred addresses: whoever is at work hardly notices.

What is measured is `POST /transactions`, for listings that were made before. The clients of the flood run beside the
API and take processor time from it: the figure is for a machine that is idle otherwise.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from database.postgres import EmbeddedServer
from tests.api.running import Installation
from tests.eventstore.running import in_loop
from tests.faults.api_process import ApiProcess
from tests.raw_http import connection, raw_command, raw_request, read_answer

PER_SECOND = 500
ADDRESSES = 200
SECONDS = 20.0
PURCHASES = 300
LONGEST_P99_SECONDS = 0.25
REFUSED = frozenset({"401", "429"})


async def attempt(port: int, number: int, outcomes: Counter[str]) -> None:
    """One wrong password for one of fifty accounts, from one of the addresses."""
    body = json.dumps({"email": f"user{number % 50}@example.com", "password": f"guess {number}"}).encode()
    request = raw_request("POST /api/v1/auth/login", body, Connection="close", Content_Type="application/json")
    try:
        async with asyncio.timeout(30), connection(port, f"127.0.{number % ADDRESSES + 1}.1") as (reader, writer):
            writer.write(request)
            status, _ = await read_answer(reader)
        outcomes[status] += 1
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        outcomes[type(error).__name__] += 1


async def flood(port: int, until: float, outcomes: Counter[str]) -> None:
    """So many a second, whether or not those before were answered."""
    began, number = time.monotonic(), 0
    async with asyncio.TaskGroup() as tasks:
        while (now := time.monotonic()) < until:
            while number < (now - began) * PER_SECOND:
                number += 1
                tasks.create_task(attempt(port, number, outcomes))
            await asyncio.sleep(0.005)


async def work(port: int, token: str, listings: Sequence[str], until: float) -> list[float]:
    """How long each purchase of somebody at work takes, one after the other; none after the flood is counted."""
    times: list[float] = []
    for listing in listings:
        if time.monotonic() >= until:
            break
        body = json.dumps({"listing_id": listing}).encode()
        request = raw_command("POST /api/v1/transactions", body, token, f"buy-{listing}")
        began = time.monotonic()
        async with connection(port) as (reader, writer):
            writer.write(request)
            status, _ = await read_answer(reader)
        assert status == "201"
        times.append(time.monotonic() - began)
        await asyncio.sleep(max(0.0, SECONDS / PURCHASES - times[-1]))
    return times


@pytest.mark.soak
@pytest.mark.guarantee("G19", faults="500 sign-ins a second from 200 addresses", runs="20 s, 10,000 sign-ins")
def test_a_flood_of_sign_ins_leaves_commands_fast(around: Installation, victim: EmbeddedServer, tmp_path: Path) -> None:
    listings = [around.list_account() for _ in range(PURCHASES)]
    outcomes: Counter[str] = Counter()
    api = ApiProcess(victim.home, tmp_path / "api.log")
    api.start()

    @in_loop
    async def measure() -> list[float]:
        until = time.monotonic() + SECONDS
        buying = work(api.port, around.people["buyer"].token, listings, until)
        return (await asyncio.gather(flood(api.port, until, outcomes), buying))[1]

    try:
        times = sorted(measure())
    finally:
        api.kill()
    slow = times[len(times) * 99 // 100]
    print(f"{dict(outcomes)}, {len(times)} purchases, p50 {times[len(times) // 2]:.3f} s, p99 {slow:.3f} s")
    assert outcomes.keys() <= REFUSED
    assert outcomes["401"] > 0, "no password was looked at"
    assert slow < LONGEST_P99_SECONDS
