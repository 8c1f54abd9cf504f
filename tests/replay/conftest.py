"""A market in a database of its own, and a hand that damages it as only a superuser can."""

from collections.abc import Callable, Generator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import psycopg
import pytest

from projections.catch_up import catch_up_together
from projections.registry import PROJECTIONS
from replay.finding import Finding, FindingKind, Findings
from replay.log import LogSummary, verify_log
from replay.rebuild import rebuild
from replay.report import Report
from replay.verify import verify
from tests.conftest import Database, Server, cloned
from tests.replay.world import Market, record

Damage = Callable[..., None]


@dataclass(frozen=True)
class Recorded:
    """The market's database, and how long its log is."""

    database: Database
    market: Market
    head: int


@pytest.fixture(scope="session")
def told(server: Server) -> Generator[Recorded]:
    """A log of some hundred events with money in every corner, told once: tests get a clone of it."""
    market = Market(12).run(sales=8, steps=400)
    with cloned(server) as database:
        yield Recorded(database, market, record(database.owner_dsn, market))


@pytest.fixture(scope="session")
def told_and_folded(server: Server, told: Recorded) -> Generator[Recorded]:
    """The same, with its read models up to date."""
    with cloned(server, told.database.name) as database:
        fold_live(database)
        yield replace(told, database=database)


@pytest.fixture
def recorded(server: Server, request: pytest.FixtureRequest) -> Generator[Recorded]:
    """A market and its log; its read models are empty unless the test asks for `folded`."""
    name = "told_and_folded" if "folded" in request.fixturenames else "told"
    template: Recorded = request.getfixturevalue(name)
    with cloned(server, template.database.name) as database:
        yield Recorded(database, deepcopy(template.market), template.head)


@pytest.fixture
def damage(recorded: Recorded) -> Generator[Damage]:
    """Run statements as a superuser with all triggers off."""
    with psycopg.connect(recorded.database.superuser_dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")

        def run(statement: str, parameters: Sequence[object] = ()) -> None:
            connection.execute(statement, parameters or None)  # pyright: ignore[reportArgumentType]

        yield run


def check_log(recorded: Recorded, expected_head: int | None = None) -> tuple[list[Finding], LogSummary]:
    """What the verification of the log finds."""
    findings = Findings()
    summary = verify_log(recorded.database.auditor_dsn, findings, expected_head=expected_head, processes=1)
    assert sum(findings.counts.values()) == len(findings.kept)
    return findings.kept, summary


def find(recorded: Recorded, kind: FindingKind) -> list[Finding]:
    """The findings of one kind."""
    return [finding for finding in check_log(recorded)[0] if finding.kind is kind]


@pytest.fixture
def folded(recorded: Recorded) -> Recorded:
    """The same, with its read models up to date."""
    return recorded


def fold_live(database: Database, upto: int | None = None) -> None:
    """What the runner does."""
    with psycopg.connect(database.app_dsn) as connection:
        catch_up_together(connection, PROJECTIONS, upto=upto)


def compare(recorded: Recorded, *names: str) -> Report:
    """The verification of the read models alone."""
    return verify(recorded.database.owner_dsn, actor="tests", projections=names or None, log=False, processes=1)


def mend(recorded: Recorded, *names: str) -> None:
    """Make these read models anew, by default all."""
    rebuild(recorded.database.owner_dsn, actor="tests", projections=names or None, processes=1)
