"""The disk refuses to sync the write-ahead log: PostgreSQL crashes rather than trust it, and recovers by itself.

What clients were told stands in the log afterwards. With `synchronous_commit = off` they are told before the sync:
then the same failure loses commands, and the checker says so.
"""

import asyncio
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from database.account import ENVIRONMENT
from database.postgres import EmbeddedServer
from tests.eventstore.running import in_loop
from tests.faults.api_process import ApiProcess
from tests.faults.conftest import prepare
from tests.faults.purses import rules_broken
from tests.faults.sellers import check_answers, check_log, sellers_at_work
from tests.waiting import until

SHIM = Path(__file__).with_name("failing_sync.c")
STRIKE_SECONDS = 10.0
CRASHED = "could not fdatasync file"


@pytest.fixture
def order(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Touch it, and the next sync of the log fails. To be asked for before the server is started."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is needed to build what makes a sync fail")
    folder = home / "orders"
    folder.mkdir()
    folder.chmod(0o777)
    library = folder / "failing_sync.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SHIM, "-ldl"], check=True)
    library.chmod(0o755)
    preloaded = {**ENVIRONMENT, "LD_PRELOAD": str(library), "ESCROW_TEST_ORDER": str(folder / "order")}
    monkeypatch.setattr("database.postgres.ENVIRONMENT", preloaded)
    return folder / "order"


@pytest.fixture
def victim(order: Path, own_server: EmbeddedServer) -> EmbeddedServer:
    """A server whose disk fails when it is told to: the order comes first, because the server inherits it."""
    assert not order.exists()
    return prepare(own_server)


@pytest.mark.guarantee("G4", faults="fdatasync of the write-ahead log fails with EIO", runs="1 failure")
@in_loop
async def test_a_failed_sync_loses_nothing_acknowledged(
    victim: EmbeddedServer, api: ApiProcess, order: Path, tmp_path: Path
) -> None:
    await fail_under_load(victim, api, order, tmp_path / "journal", times=1)


@pytest.mark.guarantee("G4", faults="the same", runs="10 failures")
@pytest.mark.soak
@in_loop
async def test_ten_failed_syncs_lose_nothing_acknowledged(
    victim: EmbeddedServer, api: ApiProcess, order: Path, tmp_path: Path
) -> None:
    await fail_under_load(victim, api, order, tmp_path / "journal", times=10)


async def fail_under_load(server: EmbeddedServer, api: ApiProcess, order: Path, path: Path, *, times: int) -> None:
    async with sellers_at_work(server, [api], path) as sellers:
        for number in range(times):
            await strike(order)
            await sellers.is_served()
            assert crashes(server) == number + 1
    check_answers(path, server)
    check_log(server)


@pytest.mark.guarantee("G4", planted="synchronous_commit is off, and the sync fails")
@pytest.mark.soak
@in_loop
async def test_a_failed_sync_loses_what_was_acknowledged_too_early_and_that_is_found(
    victim: EmbeddedServer, api: ApiProcess, order: Path, tmp_path: Path
) -> None:
    async with sellers_at_work(victim, [api], tmp_path / "journal") as sellers:
        set_commit(victim, "SET synchronous_commit = off")
        await sellers.is_served()
        await strike(order)
        # The API would not work on a server that is set up like this: it has to find it well again.
        await until(lambda: is_commit_set(victim, "RESET synchronous_commit"), seconds=STRIKE_SECONDS)
        await sellers.is_served()
    assert "lost" in rules_broken(tmp_path / "journal", victim.dsn("app"))


async def strike(order: Path) -> None:
    """Return once a sync has failed."""
    await asyncio.to_thread(order.touch)
    await until(lambda: not order.exists(), seconds=STRIKE_SECONDS)


def crashes(server: EmbeddedServer) -> int:
    """How often the server gave up for it."""
    logs = list(server.home.rglob("postgres*.log"))
    assert logs
    return sum(log.read_text(errors="replace").count(CRASHED) for log in logs)


def set_commit(server: EmbeddedServer, change: str) -> None:
    with psycopg.connect(server.superuser_dsn("escrow"), autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM {change}")
        connection.execute("SELECT pg_reload_conf()")


def is_commit_set(server: EmbeddedServer, change: str) -> bool:
    """False while the server recovers."""
    try:
        set_commit(server, change)
    except psycopg.OperationalError:
        return False
    return True
