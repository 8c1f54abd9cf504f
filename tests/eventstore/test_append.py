"""The append function, called as any client of the database could call it."""

import json
import re
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from eventstore.idempotency import rebuild_idempotency
from eventstore.proposal import MAX_STATE_BYTES, NewEvent, Proposal, SealedAnswer
from tests.eventstore.running import append, connect, digest, proposal, verdicts
from tests.waiting import PATIENCE_SECONDS

ROWS = """
SELECT notification_id, originator_id, originator_version, topic, recorded_at, state, leaf_hash
FROM escrow_events ORDER BY notification_id
"""


@pytest.fixture
def app(database):
    with connect(database.app_dsn) as connection:
        yield connection


@pytest.fixture
def owner(database):
    with connect(database.owner_dsn) as connection:
        yield connection


def count(connection, table="escrow_events"):
    return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_positions_are_dense_and_outcomes_come_in_the_order_of_the_batch(app):
    first = append(app, proposal(count=2), proposal(), proposal(count=3))
    assert [(outcome.first_position, outcome.last_position) for outcome in first] == [(1, 2), (3, 3), (4, 6)]
    assert append(app, proposal())[0].first_position == 7


def test_a_loser_never_hurts_its_neighbours(app):
    stream = uuid.uuid4()
    assert verdicts(append(app, proposal(stream))) == ["stored"]
    outcomes = append(app, proposal(), proposal(stream), proposal(stream, 3), proposal(stream, 2), proposal())
    assert verdicts(outcomes) == ["stored", "conflict", "conflict", "stored", "stored"]
    assert [outcome.first_position for outcome in outcomes] == [2, None, None, 3, 4]
    assert count(app) == 4


def test_the_earlier_of_two_commands_on_one_stream_wins(app):
    stream = uuid.uuid4()
    assert verdicts(append(app, proposal(stream), proposal(stream), proposal(stream, 2))) == [
        "stored",
        "conflict",
        "conflict",
    ]


def test_a_loser_in_a_chain_of_streams_stands_in_nobodys_way(app):
    """The second loses to the first, so that the third, which meets only the second, wins."""
    a, b, c = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()

    def both(one, other):
        events = [NewEvent(one, 1, "t", b"{}"), NewEvent(other, 1, "t", b"{}")]
        return Proposal(digest(uuid.uuid4()), digest("body"), events, one, 1)

    assert verdicts(append(app, proposal(a), both(a, b), both(b, c), proposal(c))) == [
        "stored",
        "conflict",
        "stored",
        "conflict",
    ]
    assert count(app) == 3


def test_several_streams_commit_together_or_not_at_all(app):
    taken, free = uuid.uuid4(), uuid.uuid4()
    append(app, proposal(taken))
    events = [NewEvent(free, 1, "t", b"{}"), NewEvent(taken, 1, "t", b"{}")]
    assert verdicts(append(app, Proposal(digest("both"), digest("body"), events, free, 1))) == ["conflict"]
    assert count(app) == 1
    assert count(app, "idempotency") == 1


def test_a_stream_that_was_only_read_must_not_have_moved(app):
    read = uuid.uuid4()
    append(app, proposal(read))
    outcomes = append(
        app, proposal(reads=[(read, 1)]), proposal(reads=[(read, 0)]), proposal(reads=[(uuid.uuid4(), 0)])
    )
    assert verdicts(outcomes) == ["stored", "conflict", "stored"]
    assert verdicts(append(app, proposal(read, 2), proposal(reads=[(read, 1)]))) == ["stored", "conflict"]
    assert verdicts(append(app, proposal(reads=[(read, 2)]), proposal(read, 3))) == ["stored", "stored"]


def test_the_same_command_is_stored_once_and_answered_as_the_first_time(app):
    stream = uuid.uuid4()
    first = append(app, proposal(stream, count=2, key="k"))[0]
    again, other = append(app, proposal(key="k"), proposal(key="k", body="other"))
    assert verdicts([again, other]) == ["replayed", "mismatch"]
    assert (again.first_position, again.last_position) == (first.first_position, first.last_position) == (1, 2)
    assert (again.stream_id, again.stream_version) == (stream, 2)
    assert count(app) == 2


def test_the_same_command_twice_in_one_batch_is_stored_once(app):
    outcomes = append(app, proposal(key="k"), proposal(key="k"), proposal(key="k", body="other"))
    assert verdicts(outcomes) == ["stored", "replayed", "mismatch"]
    assert [outcome.first_position for outcome in outcomes] == [1, 1, 1]
    assert count(app) == 1


def test_a_command_that_lost_may_come_again(app):
    stream = uuid.uuid4()
    append(app, proposal(stream))
    assert verdicts(append(app, proposal(stream, 1, key="k"))) == ["conflict"]
    assert verdicts(append(app, proposal(stream, 2, key="k"))) == ["stored"]


def malformed():
    stream = uuid.uuid4()
    gap = [NewEvent(stream, 1, "t", b"{}"), NewEvent(stream, 3, "t", b"{}")]
    twice = [NewEvent(stream, 1, "t", b"{}"), NewEvent(stream, 1, "t", b"{}")]
    return {
        "a gap between versions": Proposal(digest("a"), digest("b"), gap, stream, 3),
        "a version twice": Proposal(digest("a"), digest("b"), twice, stream, 1),
        "no topic": proposal(topic=""),
        "too much state": proposal(state=b"x" * (MAX_STATE_BYTES + 1)),
        "a short command id": proposal()._replace(command_id=b"short"),
        "a short digest": proposal()._replace(request_digest=b"short"),
    }


@pytest.mark.parametrize("name", list(malformed()))
def test_a_malformed_batch_is_refused_whole(app, name):
    with pytest.raises(psycopg.Error):
        append(app, proposal(), malformed()[name])
    assert count(app) == 0


def test_a_batch_has_one_to_512_commands(app):
    assert len(append(app, *[proposal() for _ in range(512)])) == 512
    with pytest.raises(psycopg.Error, match="1 to 512"):
        append(app, *[proposal() for _ in range(513)])
    with pytest.raises(psycopg.Error, match="1 to 512"):
        append(app)


def test_a_command_without_events_and_an_event_without_a_command_are_not_stored(app):
    outcomes = append(app, proposal()._replace(events=[]), proposal())
    assert verdicts(outcomes) == ["conflict", "stored"]
    call = "SELECT * FROM append_events(%s, %s::uuid[], '{1}', '{t}', %s::bytea[], '{}', '{}', '{}', %s::bytea[],"
    call += " %s::bytea[], %s::uuid[], '{1}', '{}', '{}', '{}', '{}', '{}', '{}')"
    for item in ([2], [0], [None]):
        parameters = (item, [uuid.uuid4()], [b"{}"], [digest("x")], [digest("y")], [uuid.uuid4()])
        with pytest.raises(psycopg.Error):
            app.execute(call, parameters)
    assert count(app) == 1


def test_an_older_snapshot_cannot_append(app):
    app.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with pytest.raises(psycopg.Error, match="READ COMMITTED"), app.transaction():
        append(app, proposal())


def reference():
    """The function and the test vector that stand on the page for whoever writes a verifier."""
    page = (Path(__file__).parents[2] / "docs/reference/log-format.md").read_text()
    names = {}
    exec(page.split("```python")[1].split("```")[0], names)  # noqa: S102
    return names["leaf_hash"], re.search(r"`([0-9a-f]{64})`", page)[1]


def test_the_reference_agrees_with_its_test_vector_and_with_the_database(app):
    leaf_hash, vector = reference()
    recorded_at = datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    facts = (1, uuid.UUID("01890000-0000-7000-8000-00000000abcd"), 1, "toy.opened.v1", recorded_at, b"{}")
    assert leaf_hash(*facts).hex() == vector
    assert app.execute("SELECT leaf_hash_of(%s, %s, %s, %s, %s, %s)", facts).fetchone()[0].hex() == vector


def test_leaf_hashes_are_what_the_reference_says(app):
    states = [b"", b"{}", b"\x00\xff" * 50, "é€".encode(), b"x" * MAX_STATE_BYTES]
    append(app, *[proposal(state=state, topic=f"tópic.{n}", count=2) for n, state in enumerate(states)])
    rows = app.execute(ROWS).fetchall()
    assert len(rows) == 10
    leaf_hash, _ = reference()
    for *fields, stored in rows:
        assert leaf_hash(*fields) == stored


def test_recorded_at_never_runs_backwards(app, owner):
    append(app, proposal())
    owner.execute("ALTER TABLE escrow_events DISABLE TRIGGER USER")
    owner.execute("UPDATE escrow_events SET recorded_at = now() + interval '1 hour'")
    append(app, proposal(), proposal())
    times = [row[4] for row in app.execute(ROWS).fetchall()]
    assert times == sorted(times)
    assert len(set(times)) == 1


def test_one_batch_notifies_once_and_an_empty_one_never(app, database):
    with connect(database.auditor_dsn) as listener:
        listener.execute("LISTEN escrow_events")
        listener.execute("LISTEN the_end")
        stream = uuid.uuid4()
        append(app, proposal(stream, count=3), proposal(), proposal())
        append(app, proposal(stream))
        app.execute("NOTIFY the_end")
        heard = [each.channel for each in listener.notifies(timeout=PATIENCE_SECONDS, stop_after=2)]
    assert heard == ["escrow_events", "the_end"]


WRITES = [
    "INSERT INTO escrow_events VALUES (gen_random_uuid(), 1, 't', '{}', 99, now(), sha256('x'))",
    "UPDATE escrow_events SET topic = 'x'",
    "DELETE FROM escrow_events",
    "TRUNCATE escrow_events",
    "INSERT INTO idempotency VALUES (sha256('x'), sha256('x'), 1, 1, gen_random_uuid(), 1)",
    "UPDATE idempotency SET first_position = 7",
    "DELETE FROM idempotency",
    "TRUNCATE idempotency",
    "ALTER TABLE escrow_events DISABLE TRIGGER USER",
    "SELECT settle_contest('{}', '{}', '{}', '{}', '{}', '{}')",
]


@pytest.mark.weakness("W17")
@pytest.mark.parametrize("statement", WRITES)
@pytest.mark.parametrize("role", ["app_dsn", "auditor_dsn"])
def test_application_and_auditor_cannot_write_the_log(database, role, statement):
    with connect(getattr(database, role)) as connection:
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)
        assert count(connection) == 0


def test_the_auditor_cannot_append_but_can_read(database, app):
    append(app, proposal())
    with connect(database.auditor_dsn) as auditor:
        assert count(auditor, "event_log") == count(auditor, "idempotency") == 1
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            append(auditor, proposal())


@pytest.mark.parametrize("statement", WRITES[1:4])
@pytest.mark.parametrize("role", ["owner_dsn", "superuser_dsn"])
def test_not_even_the_owner_rewrites_the_log(database, app, role, statement):
    append(app, proposal())
    with connect(getattr(database, role)) as connection, pytest.raises(psycopg.Error, match="never rewritten"):
        connection.execute(statement)


def test_the_view_decodes_what_can_be_decoded_and_never_fails(app):
    states = [
        b'{"actor_id":"somebody","n":1}',
        b"\xff",
        b"{",
        b'{"text":"\\u0000"}',
        b"[1]",
        b"7",
        b'{"a":1e400}',
        b"null",
    ]
    append(app, *[proposal(state=state) for state in states])
    rows = app.execute("SELECT position, version, type, actor, data FROM event_log ORDER BY position").fetchall()
    assert rows[0] == (1, 1, "toy.any.v1", "somebody", {"actor_id": "somebody", "n": 1})
    assert [row[4] for row in rows[1:4]] == [None, None, None]
    assert [row[4] for row in rows[4:6]] == [[1], 7]
    assert len(rows) == len(states)


def test_the_table_of_commands_can_be_folded_from_the_log(app, owner):
    def recorded(key, streams):
        state = json.dumps({"command_id": digest(key).hex(), "request_digest": digest("body").hex()}).encode()
        events = [NewEvent(stream, version, "t", state) for stream, version in streams]
        last = max(version for stream, version in streams if stream == streams[0][0])
        return Proposal(digest(key), digest("body"), events, streams[0][0], last)

    a, b = uuid.uuid4(), uuid.uuid4()
    append(app, recorded("one", [(a, 1), (a, 2), (b, 1)]), recorded("two", [(uuid.uuid4(), 1)]))
    append(app, recorded("three", [(b, 2), (a, 3)]))
    before = app.execute("SELECT * FROM idempotency ORDER BY first_position").fetchall()
    assert len(before) == 3
    assert rebuild_idempotency(owner) == 3
    assert app.execute("SELECT * FROM idempotency ORDER BY first_position").fetchall() == before
    assert verdicts(append(app, recorded("one", [(a, 4)]))) == ["replayed"]


def test_a_sealed_answer_is_stored_with_its_winner_only(app, owner):
    stream = uuid.uuid4()
    sealed = SealedAnswer(stream, uuid.uuid4(), uuid.uuid4(), b"sealed", datetime(2026, 1, 1, tzinfo=UTC))
    winner, loser = proposal(stream)._replace(answer=sealed), proposal(stream)._replace(answer=sealed)
    assert verdicts(append(app, winner, loser, proposal())) == ["stored", "conflict", "stored"]
    assert verdicts(append(app, winner)) == ["replayed"]
    assert owner.execute("SELECT * FROM reveal_answers").fetchall() == [(winner.command_id, *sealed)]


def test_a_log_that_was_never_analysed_is_not_scanned_however_long_it_grows(app, owner):
    """A plan made while the table was small must not be one that scans it when it is large."""
    owner.execute("ALTER TABLE escrow_events SET (autovacuum_enabled = off)")
    owner.execute("ALTER TABLE idempotency SET (autovacuum_enabled = off)")
    for _ in range(10):
        append(app, proposal())
    fill = """
        INSERT INTO escrow_events
        SELECT gen_random_uuid(), 1, 't', '{}', n, now(), sha256('x') FROM generate_series(11, 100000) n
    """
    owner.execute(fill)
    owner.execute(
        "INSERT INTO idempotency SELECT sha256(n::text::bytea), sha256('x'), n, n, gen_random_uuid(), 1"
        " FROM generate_series(11, 100000) n"
    )
    scans = "SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE relname IN ('escrow_events', 'idempotency')"
    flush = "SELECT pg_stat_force_next_flush()"
    app.execute(flush)
    before = app.execute(scans).fetchone()[0]
    for _ in range(20):
        assert append(app, proposal(), *[proposal() for _ in range(30)])[0].last_position > 100000
    app.execute(flush)
    app.execute("SELECT pg_stat_clear_snapshot()")
    assert app.execute(scans).fetchone()[0] == before


def test_appends_of_many_connections_leave_no_gap(database):
    def write():
        with connect(database.app_dsn) as connection:
            for _ in range(20):
                append(connection, proposal(count=2), proposal())

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with connect(database.app_dsn) as connection:
        positions = [row[0] for row in connection.execute(ROWS).fetchall()]
    assert positions == list(range(1, 8 * 20 * 3 + 1))
