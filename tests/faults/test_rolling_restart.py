"""Two API processes on one database are stopped and started in turn, as an upgrade does it, while clients work.

A client may have to ask again: with the same key, of the other process. What must not happen is that a command was done
and its answer is lost, because a process that is told to stop finishes what it has begun: a kill loses such answers,
which shows that the count of them can be other than zero.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from database.postgres import EmbeddedServer
from tests.eventstore.running import in_loop
from tests.faults.api_process import ApiProcess, Pair
from tests.faults.sellers import check_answers, check_log, doubts, replays, sellers_at_work

ALLOWED = {"503", "ConnectError", "ReadError", "RemoteProtocolError"}
"""Refused as a whole: by the process, by its address, or because it closed the connection without reading from it."""


@pytest.mark.guarantee(
    "G23", faults="SIGTERM and a new start of two API processes in turn, under clients", runs="2 restarts"
)
@in_loop
async def test_a_rolling_restart_loses_no_command_and_no_answer(
    victim: EmbeddedServer, pair: Pair, tmp_path: Path
) -> None:
    await roll(victim, pair, tmp_path / "journal", restarts=2, end=ApiProcess.stop)
    assert_nothing_was_lost(victim, tmp_path / "journal")


@pytest.mark.guarantee("G23", faults="the same", runs="20 restarts")
@pytest.mark.soak
@in_loop
async def test_twenty_rolling_restarts_lose_no_command_and_no_answer(
    victim: EmbeddedServer, pair: Pair, tmp_path: Path
) -> None:
    await roll(victim, pair, tmp_path / "journal", restarts=20, end=ApiProcess.stop)
    assert_nothing_was_lost(victim, tmp_path / "journal")


@pytest.mark.guarantee("G23", planted="the processes are killed instead of stopped")
@pytest.mark.soak
@in_loop
async def test_kills_in_turn_lose_answers_and_that_is_found(victim: EmbeddedServer, pair: Pair, tmp_path: Path) -> None:
    await roll(victim, pair, tmp_path / "journal", restarts=10, end=ApiProcess.kill)
    check_answers(tmp_path / "journal", victim)
    assert replays(tmp_path / "journal") > 0, "no answer was lost: the count of them proves nothing"


async def roll(
    server: EmbeddedServer, pair: Pair, path: Path, *, restarts: int, end: Callable[[ApiProcess], None]
) -> None:
    async with sellers_at_work(server, pair, path) as sellers:
        for number in range(restarts):
            process = pair[number % 2]
            await asyncio.to_thread(end, process)
            await sellers.is_served()
            await asyncio.to_thread(process.start)
            await sellers.is_served()


def assert_nothing_was_lost(server: EmbeddedServer, path: Path) -> None:
    check_answers(path, server)
    assert doubts(path).keys() <= ALLOWED, doubts(path)
    assert replays(path) == 0
    check_log(server)
    print(f"asked again: {dict(doubts(path))}")
