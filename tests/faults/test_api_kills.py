"""The API is killed while clients work over HTTP: what was acknowledged is there, and each command exactly once."""

import asyncio
from pathlib import Path

import httpx
import pytest

from database.postgres import EmbeddedServer
from tests.eventstore.running import in_loop
from tests.faults.api_process import ApiProcess
from tests.faults.journal import Journal
from tests.faults.purses import run_checker
from tests.faults.sellers import Seller, check_answers, sellers_at_work, sign_in_seller

BETWEEN_SECONDS = 0.5


@pytest.mark.guarantee("G4", "G5", "G6", faults="kill -9 of the API process, under clients over HTTP", runs="2 kills")
@in_loop
async def test_no_kill_of_the_api_loses_or_doubles_a_command(
    victim: EmbeddedServer, api: ApiProcess, tmp_path: Path
) -> None:
    await kill_under_load(victim, api, tmp_path / "journal", times=2)


@pytest.mark.guarantee("G4", "G5", "G6", faults="the same", runs="50 kills")
@pytest.mark.soak
@in_loop
async def test_no_kill_of_the_api_loses_or_doubles_a_command_50_times(
    victim: EmbeddedServer, api: ApiProcess, tmp_path: Path
) -> None:
    await kill_under_load(victim, api, tmp_path / "journal", times=50)


async def kill_under_load(server: EmbeddedServer, api: ApiProcess, path: Path, *, times: int) -> None:
    async with sellers_at_work(server, [api], path) as sellers:
        for _ in range(times):
            await asyncio.sleep(BETWEEN_SECONDS)
            await asyncio.to_thread(api.kill)
            await asyncio.to_thread(api.start)
            await sellers.is_served()
    check_answers(path, server)


@pytest.mark.guarantee("G18", faults="nobody listens where the processor should")
@in_loop
async def test_commands_need_no_payment_processor(victim: EmbeddedServer, api: ApiProcess, tmp_path: Path) -> None:
    """Nobody listens where the processor should: the API is ready, and what needs no money goes on."""
    with Journal(tmp_path / "journal") as journal:
        async with httpx.AsyncClient(base_url=api.base_url, timeout=10, trust_env=False) as client:
            user_id, token = await sign_in_seller(victim.superuser_dsn("escrow"), victim.dsn("app"))
            seller = Seller([client], journal, user_id, token, 1)
            for _ in range(5):
                await seller.act()
            assert (await client.get("/ops/readiness")).status_code == 200
    assert journal.acked >= 1
    assert run_checker(tmp_path / "journal", victim.dsn("app")) == []
