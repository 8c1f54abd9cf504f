"""The drills of damaged files: a bit flips, a tail is cut off, an index lies, and PostgreSQL may not say so."""

import json
import shutil
import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from cli.run.replay import list_mended
from database.facts import read_facts
from database.migrate import migrate
from database.postgres import EmbeddedServer
from eventstore.idempotency import rebuild_idempotency
from projections.catch_up import catch_up_together
from projections.install import install
from projections.registry import PROJECTIONS
from projections.runner import Runner
from replay.as_of import as_of
from replay.damage import LogDamaged
from replay.finding import Finding, FindingKind, Findings
from replay.log import verify_log
from replay.repair import repair
from replay.verify import verify
from tests.conftest import embedded
from tests.projections.stories import append
from tests.replay.world import Market
from tests.waiting import wait_until

BLOCK = 8192
UNREADABLE = FindingKind.TABLE_UNREADABLE
INDEX_UNREADABLE = FindingKind.INDEX_UNREADABLE


class Machine:
    """A server of its own whose files can be damaged while it is down."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.head = 0

    def run(self) -> EmbeddedServer:
        return embedded(self.home)

    def fill(self) -> None:
        with self.run() as server:
            owner = server.dsn("owner")
            migrate(owner)
            install(owner)
            with psycopg.connect(owner) as connection:
                self.head = append(connection, Market(2).run(sales=8, steps=300).events)
                rebuild_idempotency(connection)
            with psycopg.connect(server.dsn("app")) as connection:
                catch_up_together(connection, PROJECTIONS)
            with psycopg.connect(server.superuser_dsn("escrow"), autocommit=True) as connection:
                connection.execute("CHECKPOINT")

    def file_of(self, relation: str) -> Path:
        with self.run() as server, psycopg.connect(server.superuser_dsn("escrow")) as connection:
            row = connection.execute(
                "SELECT current_setting('data_directory'), pg_relation_filepath(%s)", (relation,)
            ).fetchone()
        assert row is not None
        return Path(row[0]) / row[1]

    def check(self, expected_head: int | None = None) -> list[Finding]:
        findings = Findings()
        with self.run() as server:
            verify_log(server.dsn("auditor"), findings, expected_head=expected_head, processes=1)
        return findings.kept


@pytest.fixture(scope="module")
def filled() -> Generator[Machine]:
    home = Path(tempfile.mkdtemp(prefix="escrow-drill-", dir="/tmp"))
    home.chmod(0o711)
    machine = Machine(home)
    machine.fill()
    yield machine
    facts = read_facts(home).embedded
    if facts is not None:
        shutil.rmtree(facts.root, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def damage(path: Path, offset: int, *, cut: bool = False) -> bytes:
    """Flip a byte, or cut the file off; return what it was before."""
    before = path.read_bytes()
    after = before[:offset] if cut else before[:offset] + bytes([before[offset] ^ 0xFF]) + before[offset + 1 :]
    path.write_bytes(after)
    return before


def test_a_flipped_byte_in_a_page_names_block_and_positions_and_nothing_is_folded(filled: Machine) -> None:
    path = filled.file_of("escrow_events")
    before = damage(path, 3 * BLOCK + 4000)
    try:
        lost, *missing = filled.check()
        with filled.run() as server:
            report = verify(server.dsn("owner"), actor="tests", processes=1)
            tables = verify(server.dsn("owner"), actor="tests", log=False, processes=1)
            with pytest.raises(LogDamaged, match="invalid page"):
                as_of(server.dsn("owner"), "past", filled.head, actor="tests", processes=1)
    finally:
        path.write_bytes(before)
    assert [(finding.kind, finding.table) for finding in tables.findings] == [(lost.kind, lost.table)]
    assert tables.not_checked[-1] == report.not_checked[-1]
    assert lost.kind is FindingKind.BLOCK_UNREADABLE
    assert "block 3" in str(lost.found)
    assert {finding.kind for finding in missing} == {FindingKind.POSITION_MISSING}
    assert {position for finding in missing for position in named(finding)} == positions_of_block(filled, 3)
    assert report.projections == ()
    assert any("read models" in text for text in report.not_checked)
    assert json.dumps(report.as_json())
    assert filled.check() == []


def named(finding: Finding) -> range:
    first, _, last = str(finding.expected).partition(" to ")
    return range(int(first), int(last or first) + 1)


def positions_of_block(machine: Machine, block: int) -> set[int]:
    with machine.run() as server, psycopg.connect(server.dsn("owner")) as connection:
        rows = connection.execute(
            "SELECT notification_id FROM escrow_events WHERE ctid >= %s::tid AND ctid < %s::tid",
            (f"({block},0)", f"({block + 1},0)"),
        ).fetchall()
    return {row[0] for row in rows}


def test_a_tail_that_was_cut_off_is_found(filled: Machine) -> None:
    """PostgreSQL says nothing: the blocks are simply not there any more."""
    path = filled.file_of("escrow_events")
    before = damage(path, len(path.read_bytes()) - 2 * BLOCK, cut=True)
    try:
        alone = filled.check()
        against = filled.check(expected_head=filled.head)
    finally:
        path.write_bytes(before)
    assert alone != []  # the commands that are left, or the index that points into nothing
    assert FindingKind.HEAD_DIFFERS in {finding.kind for finding in against}


def test_an_index_that_cannot_be_read_is_found_and_made_anew_as_the_page_says(filled: Machine) -> None:
    damage(filled.file_of("escrow_events_position"), BLOCK + 4000)
    found = filled.check()
    with filled.run() as server, psycopg.connect(server.dsn("owner")) as connection:
        connection.execute("REINDEX TABLE escrow_events")
    assert {FindingKind.BLOCK_UNREADABLE, FindingKind.INDEX_DIFFERS} <= {finding.kind for finding in found}
    assert filled.check() == []


def test_an_unreadable_table_of_commands_is_named_and_made_anew_from_the_log(filled: Machine) -> None:
    damage(filled.file_of("idempotency"), 4000)
    (lost,) = filled.check()
    assert (lost.kind, lost.table) == (UNREADABLE, "idempotency")
    assert "invalid page" in str(lost.found)
    with filled.run() as server:
        done = repair(server.dsn("owner"), actor="tests", processes=1)
    assert done.before.differing == ()
    assert (done.rebuilt, done.commands is not None, done.ok) == (None, True, True)
    assert filled.check() == []


def test_an_unreadable_index_of_the_table_of_commands_is_found_and_built_anew(filled: Machine) -> None:
    damage(filled.file_of("idempotency_command"), BLOCK + 4000)
    (lost,) = filled.check()
    assert (lost.kind, lost.table) == (UNREADABLE, "idempotency")
    with filled.run() as server:
        assert repair(server.dsn("owner"), actor="tests", processes=1).ok


def test_unreadable_read_models_are_named_the_others_compared_and_all_made_anew(filled: Machine) -> None:
    """A flipped byte, a file that is gone, and beside them a row that somebody changed."""
    page, gone = filled.file_of("transactions"), filled.file_of("ledger_entries")
    damage(page, 4000)
    gone.unlink()
    with filled.run() as server:
        with psycopg.connect(server.superuser_dsn("escrow")) as connection:
            connection.execute("UPDATE payouts SET recipient = 'x'")
        report = verify(server.dsn("owner"), actor="tests", processes=1)
        rebuilt = repair(server.dsn("owner"), actor="tests", processes=1)
    lost = {finding.table: finding.projection for finding in report.findings if finding.kind is UNREADABLE}
    assert lost == {"transactions": "transactions", "ledger_entries": "ledger"}
    assert FindingKind.VALUE_DIFFERS in {finding.kind for finding in report.findings if finding.table == "payouts"}
    assert rebuilt.before.differing == report.differing
    assert rebuilt.ok


def test_an_unreadable_table_of_checkpoints_is_named_and_every_read_model_made_anew(filled: Machine) -> None:
    damage(filled.file_of("projection_checkpoints"), 4000)
    with filled.run() as server:
        done = repair(server.dsn("owner"), actor="tests", processes=1)
    assert {finding.table for finding in done.before.findings} == {"projection_checkpoints"}
    assert {finding.kind for finding in done.before.findings} == {UNREADABLE, FindingKind.CHECKPOINT_MISSING}
    assert done.ok


def test_an_unreadable_table_of_stops_pauses_the_worker_and_repair_makes_it_anew(filled: Machine) -> None:
    with filled.run() as server, psycopg.connect(server.superuser_dsn("escrow"), autocommit=True) as connection:
        connection.execute("INSERT INTO projection_failures VALUES ('payouts', 3, 'x', now(), now())")
        connection.execute("CHECKPOINT")
    damage(filled.file_of("projection_failures"), 4000)
    with filled.run() as server, following(server.dsn("app")):
        with psycopg.connect(server.dsn("owner")) as connection:
            filled.head = append(connection, Market(9).run(sales=1, steps=3, funded=False).events)
            rebuild_idempotency(connection)
        # Each time that it begins anew it takes over, which raises the fences.
        fence = lowest_fence(server)
        wait_until(lambda: lowest_fence(server), lambda found: found > fence + 1)
        done = repair(server.dsn("owner"), actor="tests", processes=1)
        wait_until(lambda: positions(server) == {filled.head})
    assert [(finding.kind, finding.table) for finding in done.before.findings] == [(UNREADABLE, "projection_failures")]
    assert (done.ok, done.stops, done.rebuilt) == (True, True, None)


@pytest.mark.parametrize("table", ["projection_failures", "projection_checkpoints"])
def test_an_index_beside_the_read_models_that_cannot_be_read_is_made_anew_and_nothing_else(
    filled: Machine, table: str
) -> None:
    with filled.run() as server, psycopg.connect(server.superuser_dsn("escrow"), autocommit=True) as connection:
        connection.execute("INSERT INTO projection_failures VALUES ('payouts', 3, 'x', now(), now())")
        connection.execute("CHECKPOINT")
    damage(filled.file_of(f"{table}_pkey"), BLOCK + 4000)
    with filled.run() as server:
        before = everything(server, table)
        plan = repair(server.dsn("owner"), actor="tests", dry_run=True, processes=1)
        done = repair(server.dsn("owner"), actor="tests", processes=1)
        assert everything(server, table) == before
    assert [(finding.kind, finding.table) for finding in done.before.findings] == [(INDEX_UNREADABLE, table)]
    assert (done.ok, done.reindexed, done.rebuilt, done.stops) == (True, (table,), None, False)
    assert list_mended(plan) == [f"would make the index of {table} anew"]
    assert list_mended(done) == [f"made the index of {table} anew"]


def everything(server: EmbeddedServer, table: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.dsn("owner")) as connection:
        connection.execute("SET enable_indexscan = off; SET enable_bitmapscan = off")
        return sorted(connection.execute(f"SELECT t::text FROM {table} AS t").fetchall())  # type: ignore[call-overload]


@contextmanager
def following(dsn: str) -> Generator[None]:
    """A worker's read models; it must not end by itself."""
    runner = Runner(dsn)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(runner.run)
        try:
            yield
            assert not running.done()
        finally:
            runner.stop()
        running.result()


def lowest_fence(server: EmbeddedServer) -> int:
    with psycopg.connect(server.dsn("owner")) as connection:
        return min(row[0] for row in connection.execute("SELECT fence FROM projection_checkpoints").fetchall())


def positions(server: EmbeddedServer) -> set[int]:
    with psycopg.connect(server.dsn("owner")) as connection:
        return {row[0] for row in connection.execute("SELECT position FROM projection_checkpoints").fetchall()}
