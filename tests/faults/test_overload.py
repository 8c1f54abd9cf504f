"""Far more clients than the API can serve: each is answered or refused, memory is bounded, and it recovers at once."""

import time
from collections import Counter
from pathlib import Path

import pytest

from database.postgres import EmbeddedServer
from tests.eventstore.running import in_loop
from tests.faults.api_process import ApiProcess
from tests.faults.flood import SERVED, Flood, idlers, judge, peak_bytes, request
from tests.faults.journal import Journal
from tests.faults.purses import run_checker
from tests.faults.sellers import CLIENTS, check_log, sign_in_seller
from tests.raw_http import connection, read_answer

MOST_BYTES = 256 * 2**20
HEALED_IN_A_ROW = 20
AT_ONCE_SECONDS = 2.0
LONGEST_SECONDS = 30.0


@in_loop
async def test_a_short_flood_is_answered_or_refused(victim: EmbeddedServer, api: ApiProcess, tmp_path: Path) -> None:
    await flood(victim, api, tmp_path / "journal", connections=1_500, idle=200, seconds=2)


@pytest.mark.soak
@in_loop
async def test_a_minute_of_flood_is_answered_or_refused(
    victim: EmbeddedServer, api: ApiProcess, tmp_path: Path
) -> None:
    await flood(victim, api, tmp_path / "journal", connections=3_000, idle=1_000, seconds=60)
    check_log(victim)


async def flood(
    server: EmbeddedServer, api: ApiProcess, path: Path, *, connections: int, idle: int, seconds: float
) -> None:
    people = [await sign_in_seller(server.superuser_dsn("escrow"), server.dsn("app")) for _ in range(CLIENTS)]
    assert api.process is not None
    before = peak_bytes(api.process.pid)
    with Journal(path, is_durable=False) as journal:
        flooding = Flood(api.port, people, journal)
        async with idlers(api.port, idle):
            await flooding.run(connections, time.monotonic() + seconds)
        healed = await heal(api.port, people[0][1])
    grown = peak_bytes(api.process.pid) - before
    tell(flooding, grown, healed)
    assert judge(flooding.outcomes, grown_bytes=grown, most_bytes=MOST_BYTES, healed_seconds=healed) == []
    assert api.process.poll() is None, "the process has died"
    assert run_checker(path, server.dsn("app")) == []


async def heal(port: int, token: str) -> float:
    """Seconds until twenty commands in a row are taken at once."""
    began, row = time.monotonic(), 0
    while row < HEALED_IN_A_ROW and time.monotonic() - began < LONGEST_SECONDS:
        asked = time.monotonic()
        async with connection(port) as (reader, writer):
            writer.write(request(token, f"healed-{time.monotonic_ns()}"))
            status, _ = await read_answer(reader)
        row = row + 1 if status in SERVED and time.monotonic() - asked < AT_ONCE_SECONDS else 0
    return time.monotonic() - began


def tell(flooding: Flood, grown: int, healed: float) -> None:
    times = sorted(flooding.seconds)
    slow = f"{times[len(times) * 95 // 100]:.2f}" if times else "?"
    print(f"{dict(flooding.outcomes)}, p95 of the served {slow} s")
    print(f"memory +{grown >> 20} MiB, healed after {healed:.2f} s")


@pytest.mark.parametrize(
    ("outcomes", "facts", "found"),
    [
        ({"201": 5, "503": 5, "429": 1}, {}, []),
        ({"201": 5, "500": 1}, {}, ["1 x 500"]),
        ({"201": 5, "ConnectionResetError": 2}, {}, ["2 x ConnectionResetError"]),
        ({"201": 5, "TimeoutError": 1}, {}, ["1 x TimeoutError"]),
        ({"503": 5}, {}, ["nobody was served"]),
        ({"201": 5}, {"grown_bytes": 2**30}, ["memory grew by 1024 MiB"]),
        ({"201": 5}, {"healed_seconds": 21.0}, ["it healed after 21.0 s"]),
    ],
)
def test_the_judge_finds_what_overload_must_not_do(
    outcomes: dict[str, int], facts: dict[str, float], found: list[str]
) -> None:
    fine = {"grown_bytes": 0, "most_bytes": MOST_BYTES, "healed_seconds": 0.0}
    assert judge(Counter(outcomes), **{**fine, **facts}) == found
