"""Commands keep flowing, processes are killed, two operators are at work: nothing is lost and nothing is wrong."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from eventstore.idempotency import rebuild_idempotency
from projections.runner import Runner
from replay.rebuild import RebuildRunning, rebuild
from replay.rebuilding import read_shadow
from replay.shadow import connect_owner
from replay.verify import verify
from tests.conftest import Database
from tests.projections.stories import append
from tests.replay.conftest import Damage, Recorded, compare
from tests.replay.world import Market
from tests.waiting import wait_until


class Traffic:
    """Somebody who keeps commanding, and the runner that follows."""

    def __init__(self, database: Database, market: Market) -> None:
        self.commands = 0
        self._database = database
        self._market = market
        self._over = threading.Event()
        self._runner = Runner(database.app_dsn)

    def command(self) -> None:
        with psycopg.connect(self._database.owner_dsn) as connection:
            while not self._over.is_set():
                self._market.step(self._market.pick(self._market.sales))
                if self._market.events:
                    append(connection, self._market.events)
                    self._market.events.clear()
                    self.commands += 1
                if self.commands % 50 == 0:
                    sale = self._market.list_account(20_000)
                    self._market.open(sale)
                    self._market.sales.append(sale)
                self._over.wait(0.002)

    def stop(self) -> None:
        self._over.set()
        self._runner.stop()

    @contextmanager
    def flowing(self) -> Generator["Traffic"]:
        with ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(self.command), pool.submit(self._runner.run)]
            try:
                yield self
            finally:
                self.stop()
            for future in futures:
                future.result()

    def wait_for(self, more: int) -> None:
        target = self.commands + more
        wait_until(lambda: self.commands >= target, seconds=60)


@pytest.mark.guarantee("G7", faults="verified and rebuilt while commands flow")
def test_tables_are_verified_and_rebuilt_while_commands_flow(folded: Recorded, damage: Damage) -> None:
    owner = folded.database.owner_dsn
    traffic = Traffic(folded.database, folded.market)
    with traffic.flowing():
        traffic.wait_for(20)
        report = compare(folded)
        assert [finding.describe() for finding in report.findings] == []
        damage("UPDATE ledger_accounts SET entries = entries + 1")
        assert compare(folded).differing == ("ledger",)
        before = traffic.commands
        for names in (["ledger"], None, ["transactions"], None):
            rebuild(owner, actor="tests", projections=names, processes=1)
            traffic.wait_for(25)
        assert traffic.commands - before >= 100
        report = compare(folded)
        assert [finding.describe() for finding in report.findings] == []
    with connect_owner(owner) as connection:
        rebuild_idempotency(connection)
    final = verify(owner, actor="tests", processes=1)
    assert [finding.describe() for finding in final.findings] == []


PROGRAM = """
import sys, time
from collections import Counter
import projections.catch_up, replay.fold, replay.rebuild, replay.rebuilding
from functools import partial
from replay.rebuild import rebuild

last_word, times = sys.argv[3], int(sys.argv[4])
said = Counter()

def say(word):
    said[word] += 1
    if said[last_word] == times:
        print(word, flush=True)
        time.sleep(600)

replay.fold.catch_up_together = partial(projections.catch_up.catch_up_together, batch_size=25)
for module, name in (
    (replay.rebuild, "finish_tables"), (replay.rebuild, "swap"), (replay.rebuild, "drop_schema"),
    (replay.rebuilding, "_exchange"), (replay.rebuilding, "_move_checkpoints"),
):
    def tell(*arguments, call=getattr(module, name), name=name):
        say(name)
        return call(*arguments)
    setattr(module, name, tell)
replay.rebuilding.program_digest = lambda: "this one"
rebuild(sys.argv[1], actor="killed", processes=int(sys.argv[2]), progress=lambda step: say(step.phase))
"""

NEAR = [("fold", 1), ("fold", 9), ("finish_tables", 1), ("_exchange", 1)]
MOMENTS = [
    ("log", 1), ("fold", 4), ("swap", 1), ("_exchange", 5), ("_move_checkpoints", 1), ("drop_schema", 1),
    *(pytest.param(*moment, marks=pytest.mark.soak) for moment in NEAR),
]  # fmt: skip


def kill_at(recorded: Recorded, word: str, times: int, processes: int = 1) -> None:
    """Start a rebuild and kill it where it would say a word for the so-manieth time: it waits there for its death."""
    arguments = [sys.executable, "-c", PROGRAM, recorded.database.owner_dsn, str(processes), word, str(times)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        reached = program.stdout.readline().strip()
        program.send_signal(signal.SIGKILL)
    assert reached == word, f"it never came to {word}"


@pytest.mark.parametrize(("word", "times"), MOMENTS)
def test_a_rebuild_that_is_killed_is_resumed(
    folded: Recorded, damage: Damage, monkeypatch: pytest.MonkeyPatch, word: str, times: int
) -> None:
    monkeypatch.setattr("replay.rebuilding.program_digest", lambda: "this one")
    damage("UPDATE transactions SET state = 'x'")
    kill_at(folded, word, times)
    differing = compare(folded).differing
    assert differing in {("transactions",), ()}  # the old tables, or the new ones
    assert (differing == ()) == (word == "drop_schema")
    with connect_owner(folded.database.owner_dsn) as connection:
        reached = min(read_shadow(connection).values(), default=0)
    done = rebuild(folded.database.owner_dsn, actor="tests", processes=1)
    assert done.resumed_from == reached
    assert (reached > 0) == (word not in {"log", "drop_schema"})
    assert compare(folded).ok


def test_the_workers_of_a_killed_rebuild_die_with_it(folded: Recorded) -> None:
    kill_at(folded, "log", 1, processes=2)
    with psycopg.connect(folded.database.superuser_dsn, autocommit=True) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'escrow replay' AND datname = %s"
        wait_until(lambda: connection.execute(query, (folded.database.name,)).fetchone() == (0,))


def test_two_rebuilds_at_once_do_not_disturb_each_other(folded: Recorded) -> None:
    def run(name: str) -> str:
        try:
            return str(rebuild(folded.database.owner_dsn, actor=name, processes=1).position)
        except RebuildRunning:
            return "refused"

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(run, ["one", "two", "three"]))
    assert str(folded.head) in results
    assert set(results) <= {str(folded.head), "refused"}
    assert compare(folded).ok


FOLD_AND_DIGEST = """
import sys
from replay.as_of import as_of
from replay.log import connect_reading
from tests.projections.comparing import digest_tables

as_of(sys.argv[1], sys.argv[2], int(sys.argv[3]), actor="tests", processes=1)
with connect_reading(sys.argv[1]) as connection:
    print(digest_tables(connection, sys.argv[2]))
"""


WORLDS = [("0", "UTC", "C"), ("1", "Asia/Kolkata", "tr_TR.UTF-8"), ("7", "America/St_Johns", "de_DE.UTF-8")]
PLANT = """
from datetime import datetime
from projections.ledger import LEDGER

honest = LEDGER.fold

def fold(batch, rows):
    honest(batch, rows)
    row = rows.get("ledger_accounts", "escrow:held", "KES")
    rows.put("ledger_accounts", {**row, "entries": WRONG})

object.__setattr__(LEDGER, "fold", fold)
"""
ORDER_OF_A_SET = "int(next(iter({str(number) for number in range(1000)})))"
LOCAL_TIME = "int(datetime(2026, 1, 1, 12).astimezone().utcoffset().total_seconds())"


@pytest.mark.guarantee("G8", faults="three hash seeds with three time zones and locales", runs="3 processes")
def test_the_result_is_the_same_whatever_hash_seed_time_zone_or_locale(recorded: Recorded) -> None:
    results = fold_in_worlds(recorded)
    assert len(results) == 1
    assert "transactions" in results.pop()


@pytest.mark.guarantee("G8", planted="a row depends on the order of a set, or on local time")
@pytest.mark.parametrize("wrong", [ORDER_OF_A_SET, LOCAL_TIME], ids=["the order of a set", "local time"])
def test_a_fold_that_depends_on_the_process_is_found(recorded: Recorded, wrong: str) -> None:
    assert len(fold_in_worlds(recorded, PLANT.replace("WRONG", wrong))) == len(WORLDS)


def fold_in_worlds(recorded: Recorded, plant: str = "") -> set[str]:
    """The digests of the tables that processes of different worlds fold."""
    results: set[str] = set()
    for number, (seed, zone, locale) in enumerate(WORLDS):
        world = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale, "PGTZ": zone}
        arguments = [
            sys.executable,
            "-c",
            plant + FOLD_AND_DIGEST,
            recorded.database.owner_dsn,
            f"world_{number}",
            str(recorded.head),
        ]
        results.add(subprocess.run(arguments, env=world, capture_output=True, text=True, check=True).stdout)
    return results
