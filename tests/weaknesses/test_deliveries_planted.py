"""Bugs planted in the inbox: what finds that a delivery was lost or doubled is seen to find it."""

import asyncio
import hashlib
import os
import random

import pytest

from reactions import inbox
from tests.conftest import Database
from tests.reactions.world import World, run
from tests.weaknesses import deliveries

FEW = deliveries.Size(paid=1, unpaid=1, events=24, patience_seconds=30)


class NeverKilled(deliveries.KilledAgainAndAgain):
    """A worker that is left in peace."""

    async def _kill_for_ever(self) -> None:
        async with self._leading():
            await asyncio.Event().wait()


class TakenForNew:
    """Stands where the inbox hashes a body: the same bytes again have another hash."""

    @staticmethod
    def sha256(raw: bytes) -> object:
        return hashlib.sha256(raw + os.urandom(8))


def take_repeats_for_new(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(inbox, "hashlib", TakenForNew)


def answer_without_keeping(patch: pytest.MonkeyPatch) -> None:
    """One in five is answered and forgotten, as by a process that dies between its answer and its commit."""
    chance, real = random.Random(5), inbox.receive

    async def receive(*arguments: object) -> None:
        if chance.random() < 0.2:
            return
        await real(*arguments)  # type: ignore[arg-type]

    patch.setattr(deliveries, "receive", receive)


def nothing(_patch: pytest.MonkeyPatch) -> None:
    """The control."""


def find(database: Database) -> list[str]:
    """What is found to be wrong: nothing, or the first of it."""
    found: list[str] = []

    async def tell(world: World) -> None:
        try:
            await deliveries.tell(world, database, 1, FEW, worker=NeverKilled)
        except AssertionError as error:
            found.append(str(error))

    run(database.app_dsn, tell)
    return found


@pytest.mark.guarantee("G15", planted="a delivery that comes again is taken for a new one")
def test_deliveries_that_are_taken_for_new_are_found(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    take_repeats_for_new(monkeypatch)
    (found,) = find(database)
    assert found.startswith("webhook.received.v1"), found


@pytest.mark.guarantee("G15", planted="a delivery is answered and not kept")
def test_deliveries_that_are_answered_and_not_kept_are_found(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_without_keeping(monkeypatch)
    (found,) = find(database)
    assert "Extra items in the right set" in found, found


def test_without_a_planted_bug_nothing_is_found(database: Database) -> None:
    assert find(database) == []
