"""The checker of the fault tests finds each kind of violation in a log and journal made by hand."""

import json
import uuid

import psycopg
import pytest

from tests.conftest import Database
from tests.eventstore.running import append, connect, digest, proposal
from tests.faults.checker import check, read_log

PURSE = uuid.UUID(int=1)


def entry(key: str, version: int, amount: int, topic: str = "toy.put.v1"):
    state = json.dumps({"command_id": digest(key).hex(), "amount_minor": amount}).encode()
    return proposal(PURSE, version, state=state, topic=topic, key=f"{key} {version}")


def line(kind: str, key: str, ns: int, **more: object) -> dict[str, object]:
    return {"kind": kind, "command": digest(key).hex(), "ns": ns, **more}


def asked(key: str, began: int, ended: int, outcome: str = "acked", **reply: object) -> list[dict[str, object]]:
    return [line("invoke", key, began), line("complete", key, ended, outcome=outcome, **reply)]


def look(balance: int, began: int, ended: int) -> list[dict[str, object]]:
    return [{"kind": "read", "stream": str(PURSE), "balance": balance, "began": began, "ended": ended}]


LOG = [("a", 1, 5), ("b", 2, 7)]
FINE = [*asked("a", 1, 2), *asked("b", 3, 4)]
CASES = {
    "nothing wrong": (LOG, FINE, ""),
    "answers that agree": (LOG, [*FINE[:2], *asked("b", 3, 4, stream=str(PURSE), balance=12, position=2)], ""),
    "a lost command": (LOG, [*FINE, *asked("c", 5, 6)], "lost"),
    "an unknown one that is not there": (LOG, [*FINE, *asked("c", 5, 6, "unknown")], ""),
    "a ghost": (LOG, [*FINE[:2], *asked("b", 3, 4, "rejected")], "ghost"),
    "a command twice": ([*LOG, ("a", 3, 5)], FINE, "twice order"),
    "a command twice in a row": ([("a", 1, 5), ("a", 2, 5)], FINE[:2], "twice"),
    "published too early": (LOG, [*FINE, line("publish", "c", 9)], "published"),
    "against real time": (LOG, [*asked("a", 3, 4), *asked("b", 1, 2)], "order"),
    "at the same time": (LOG, [*asked("a", 1, 4), *asked("b", 2, 3)], ""),
    "a wrong answer": (LOG, [*FINE[:2], *asked("b", 3, 4, stream=str(PURSE), balance=7)], "answer"),
    "a wrong position": (LOG, [*FINE[:2], *asked("b", 3, 4, position=1)], "answer"),
    "more taken than there was": ([("a", 1, -5)], FINE[:2], "illegal"),
    "a read of the past": (LOG, [*FINE, *look(5, 5, 6)], "read"),
    "a read of the future": (LOG, [*FINE, *look(12, 1, 2)], "read"),
    "a read in between": (LOG, [*FINE, *look(5, 3, 4)], ""),
}


@pytest.mark.guarantee(
    "G5",
    "G6",
    planted="one broken rule each: lost, ghost, twice, out of order, an answer or a read that cannot be",
)
@pytest.mark.parametrize("name", list(CASES))
def test_the_checker_names_what_is_wrong(database: Database, name: str) -> None:
    log, journal, expected = CASES[name]
    with connect(database.app_dsn) as connection:
        for key, version, amount in log:
            append(connection, entry(key, version, abs(amount), "toy.put.v1" if amount > 0 else "toy.taken.v1"))
    found = {violation.partition(":")[0] for violation in check(journal, read_log(database.app_dsn))}
    assert found == set(expected.split())


def test_the_checker_sees_a_gap(database: Database) -> None:
    with connect(database.app_dsn) as connection:
        for key, version, amount in LOG:
            append(connection, entry(key, version, amount))
    with psycopg.connect(database.superuser_dsn) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM escrow_events WHERE notification_id = 1")
    assert list(check([], read_log(database.app_dsn))) == ["position: 1 is missing"]
