"""Group commit: what happens to those who wait, whatever happens to the database."""

import asyncio
import errno
import uuid

import pytest
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL

from database.errors import DatabaseUnavailable, UnsafeConfiguration
from domain.errors import Overloaded
from eventstore import writer
from eventstore.appender import Appender
from eventstore.proposal import MAX_STATE_BYTES, AppendFailed, EventTooLarge, OutcomeUnknown, Verdict
from tests.eventstore.proxy import Proxy
from tests.eventstore.running import connect, impatient, in_loop, migrated, proposal
from tests.waiting import until

STREAM = uuid.UUID(int=1)
# Of the appender alone: a vacuum may wait for the replica as well.
WAITS = """
SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = 'escrow appender'
"""
CANCEL_WAIT = f"SELECT pg_cancel_backend(pid) FROM ({WAITS}) AS waiting"


def positions(dsn):
    with connect(dsn) as connection:
        query = "SELECT notification_id FROM escrow_events ORDER BY 1"
        return [row[0] for row in connection.execute(query).fetchall()]


@in_loop
async def test_commands_that_wait_share_a_commit(database):
    async with Appender(database.app_dsn) as appender:
        outcomes = await asyncio.gather(*(appender.append(proposal()) for _ in range(600)))
    assert sorted(outcome.first_position for outcome in outcomes) == list(range(1, 601))
    with connect(database.owner_dsn) as connection:
        batches = connection.execute("SELECT count(DISTINCT recorded_at) FROM escrow_events").fetchone()[0]
    assert batches <= 20


@in_loop
async def test_losers_learn_it_and_their_neighbours_do_not(database):
    stream = uuid.uuid4()
    async with Appender(database.app_dsn) as appender:
        batch = [proposal(stream), proposal(stream), proposal(), proposal(stream, 9)]
        outcomes = await asyncio.gather(*map(appender.append, batch))
    assert [outcome.verdict for outcome in outcomes] == ["stored", "conflict", "stored", "conflict"]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (proposal(state=b"x" * (MAX_STATE_BYTES + 1)), EventTooLarge),
        (proposal()._replace(events=[]), ValueError),
        (proposal(topic=""), ValueError),
        (proposal()._replace(command_id=b"short"), ValueError),
        (proposal()._replace(events=[*proposal(STREAM).events, *proposal(STREAM, 3).events]), ValueError),
    ],
)
def test_what_the_log_would_refuse_is_refused_before_it_meets_its_neighbours(database, wrong, error):
    @in_loop
    async def scenario():
        async with Appender(database.app_dsn) as appender:
            with pytest.raises(error):
                await appender.append(wrong)
            assert (await appender.append(proposal())).first_position == 1

    scenario()


@in_loop
async def test_what_only_the_server_refuses_fails_alone(database):
    with connect(database.owner_dsn) as owner:
        owner.execute("ALTER TABLE escrow_events ADD CHECK (topic <> 'cursed')")
    async with Appender(database.app_dsn) as appender:
        batch = [proposal(), proposal(topic="cursed"), proposal()]
        good, bad, other = await asyncio.gather(*map(appender.append, batch), return_exceptions=True)
    assert isinstance(bad, AppendFailed)
    assert bad.facts == {"sqlstate": "23514"}
    assert (good.verdict, other.verdict) == (Verdict.STORED, Verdict.STORED)


@in_loop
async def test_a_full_queue_refuses_at_once_and_takes_again_later(database, monkeypatch):
    monkeypatch.setattr("eventstore.appender.CAPACITY", 10)
    async with Appender(database.app_dsn) as appender:
        batch = [appender.append(proposal()) for _ in range(30)]
        outcomes = await asyncio.gather(*batch, return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, Overloaded)]
        assert len(refused) == 20
        assert refused[0].facts == {"retry_after_seconds": 1}
        assert (await appender.append(proposal())).verdict is Verdict.STORED
    assert positions(database.app_dsn) == list(range(1, 12))


@in_loop
async def test_cancelling_a_caller_never_cancels_a_commit(database):
    async with Appender(database.app_dsn) as appender:
        for _ in range(50):
            callers = [asyncio.create_task(appender.append(proposal())) for _ in range(4)]
            await asyncio.sleep(0.001)
            for caller in callers[:2]:
                caller.cancel()
            results = await asyncio.gather(*callers, return_exceptions=True)
            assert [outcome.verdict for outcome in results[2:]] == ["stored", "stored"]
    found = positions(database.app_dsn)
    assert found == list(range(1, len(found) + 1))
    assert 100 <= len(found) <= 200


@in_loop
async def test_a_withdrawn_proposal_that_still_waits_is_never_written(database):
    async with Appender(database.app_dsn) as appender:
        callers = [asyncio.create_task(appender.append(proposal())) for _ in range(5)]
        await asyncio.sleep(0)
        callers[2].cancel()
        await asyncio.gather(*callers, return_exceptions=True)
    assert positions(database.app_dsn) == [1, 2, 3, 4]


@in_loop
async def test_leaving_writes_what_waits_and_takes_nothing_more(database):
    async with Appender(database.app_dsn) as appender:
        callers = [asyncio.create_task(appender.append(proposal())) for _ in range(100)]
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*callers)
    assert {outcome.verdict for outcome in outcomes} == {Verdict.STORED}
    with pytest.raises(Overloaded):
        await appender.append(proposal())


@pytest.mark.guarantee("G28", faults="the program is started on an unsafe server")
@in_loop
async def test_an_unsafe_server_is_refused_at_the_start(database, monkeypatch):
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")
    with pytest.raises(UnsafeConfiguration):
        await Appender(database.app_dsn).__aenter__()


@pytest.mark.guarantee("G28", faults="the application works as superuser")
@in_loop
async def test_a_superuser_may_not_append(database):
    with pytest.raises(UnsafeConfiguration):
        await Appender(database.superuser_dsn).__aenter__()


@in_loop
async def test_without_a_server_nothing_starts():
    with pytest.raises(DatabaseUnavailable):
        await Appender("host=/nowhere dbname=none user=nobody").__aenter__()


@in_loop
async def test_a_commit_that_fails_is_no_acknowledgement(database):
    """Rows come before the commit does; a deferred constraint fails exactly in between."""
    with connect(database.owner_dsn) as owner:
        owner.execute("CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no commit'; END $$")
        owner.execute(
            "CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON escrow_events DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW WHEN (NEW.topic = 'late') EXECUTE FUNCTION fail()"
        )
    async with Appender(database.app_dsn) as appender:
        good, bad = await asyncio.gather(
            appender.append(proposal()), appender.append(proposal(topic="late")), return_exceptions=True
        )
    assert good.verdict is Verdict.STORED
    assert isinstance(bad, AppendFailed)
    assert positions(database.app_dsn) == [1]


@in_loop
async def test_an_acknowledgement_lost_after_the_commit_is_found_again(database):
    """The proxy forwards the whole request, waits until it is committed, and cuts the connection."""
    async with Proxy(database.app_dsn) as proxy, Appender(proxy.dsn) as appender:
        for n in range(40):
            proxy.cut_after_next_commit()
            outcomes = await asyncio.gather(*(appender.append(proposal()) for _ in range(5)))
            assert {outcome.verdict for outcome in outcomes} == {Verdict.REPLAYED}
            assert all(outcome.resent for outcome in outcomes)
            assert sorted(outcome.first_position for outcome in outcomes) == list(range(5 * n + 1, 5 * n + 6))
        assert proxy.cuts == 40
    assert positions(database.app_dsn) == list(range(1, 201))


@in_loop
async def test_a_request_cut_before_it_arrived_is_sent_again(database):
    async with Proxy(database.app_dsn) as proxy, Appender(proxy.dsn) as appender:
        for _ in range(20):
            proxy.cut_before_next_request()
            assert (await appender.append(proposal())).verdict is Verdict.STORED
        assert proxy.cuts == 20
    assert positions(database.app_dsn) == list(range(1, 21))


@in_loop
async def test_nobody_waits_longer_than_he_can_bear(database):
    """Behind a lock that is never released the outcome is unknown; what was never sent was certainly not done."""
    async with Appender(database.app_dsn) as appender:
        assert (await appender.append(proposal())).verdict is Verdict.STORED
        with impatient(appender), connect(database.owner_dsn) as owner, owner.transaction():
            owner.execute("LOCK TABLE escrow_events IN ACCESS EXCLUSIVE MODE")
            first = asyncio.create_task(appender.append(proposal()))
            await asyncio.sleep(0.1)
            second = asyncio.create_task(appender.append(proposal()))
            with pytest.raises(OutcomeUnknown):
                await first
            with pytest.raises(DatabaseUnavailable):
                await second
        assert (await appender.append(proposal())).verdict is Verdict.STORED


@in_loop
async def test_an_unreachable_server_is_unavailable_and_then_forgotten(database):
    async with Proxy(database.app_dsn) as proxy, Appender(proxy.dsn) as appender:
        proxy.refuse()
        with impatient(appender):
            results = await asyncio.gather(*(appender.append(proposal()) for _ in range(3)), return_exceptions=True)
        assert {type(result) for result in results} <= {DatabaseUnavailable, OutcomeUnknown}
        proxy.accept()
        assert (await appender.append(proposal(key="again"))).verdict is Verdict.STORED


@in_loop
async def test_a_terminated_connection_is_made_anew(database):
    async with Appender(database.app_dsn) as appender:
        for _ in range(5):
            terminate(database)
            assert (await appender.append(proposal())).verdict in {Verdict.STORED, Verdict.REPLAYED}
    assert positions(database.app_dsn) == [1, 2, 3, 4, 5]


@in_loop
async def test_a_moment_without_file_descriptors_ends_nothing(database, monkeypatch):
    async with Appender(database.app_dsn) as appender:
        checked, failed = writer._check_safe, []

        def check_without_descriptors(dsn):
            if not failed:
                failed.append(dsn)
                raise OSError(errno.EMFILE, "Too many open files")
            checked(dsn)

        monkeypatch.setattr(writer, "_check_safe", check_without_descriptors)
        terminate(database)
        assert (await appender.append(proposal())).verdict in {Verdict.STORED, Verdict.REPLAYED}
        assert failed


@in_loop
async def test_when_the_writing_has_ended_nobody_waits_for_it(database, monkeypatch):
    async with Appender(database.app_dsn, patience_seconds=2.0) as appender:
        monkeypatch.setattr(writer, "parameters_of", lambda batch: 1 / 0)
        with pytest.raises(OutcomeUnknown):
            await appender.append(proposal())
        with pytest.raises(ZeroDivisionError):
            await appender.append(proposal())


@in_loop
async def test_a_batch_of_unknown_outcome_that_is_refused_when_it_is_sent_again_stays_unknown(database, monkeypatch):
    async with Proxy(database.app_dsn) as proxy, Appender(proxy.dsn) as appender:
        for error in (UnsafeConfiguration, errors.ReadOnlySqlTransaction):
            await appender.append(proposal())
            monkeypatch.setattr(writer, "_check_safe", raising(error))
            proxy.cut_after_next_commit()
            outcomes = await asyncio.gather(*(appender.append(proposal()) for _ in range(2)), return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {OutcomeUnknown}
            monkeypatch.undo()
    assert positions(database.app_dsn) == [1, 2, 3, 4, 5, 6]


@in_loop
async def test_closing_over_a_commit_under_way_leaves_its_outcome_unknown(database):
    async with Appender(database.app_dsn) as appender:
        assert (await appender.append(proposal())).verdict is Verdict.STORED
        with impatient(appender), connect(database.owner_dsn) as owner, owner.transaction():
            owner.execute("LOCK TABLE escrow_events IN ACCESS EXCLUSIVE MODE")
            caller = asyncio.create_task(appender.append(proposal()))
            await asyncio.sleep(0.1)
            await appender.__aexit__(None, None, None)
            with pytest.raises(OutcomeUnknown):
                await caller


def raising(error):
    def fail(dsn):
        raise error

    return fail


def terminate(database):
    with connect(database.superuser_dsn) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'escrow appender'"
            " AND datname = current_database()"
        )


@in_loop
async def test_a_commit_that_waited_for_its_replica_in_vain_is_not_acknowledged(own_server):
    """A cancelled wait for a synchronous replica reports success, with WARNING 01000: the commit is only local."""
    dsn = migrated(own_server)
    with connect(own_server.superuser_dsn(own_server_name(dsn))) as admin:
        async with Appender(dsn, patience_seconds=20) as appender:
            assert (await appender.append(proposal())).verdict is Verdict.STORED
            set_standby(admin, "nobody")
            waiting = await append_until_one_waits(appender, admin)
            for _ in range(3):
                await until(lambda: ask(admin, CANCEL_WAIT))
                await asyncio.sleep(0.2)
                assert not waiting.done()
            set_standby(admin, "")
            outcome = await waiting
    assert (outcome.verdict, outcome.first_position, outcome.resent) == (Verdict.REPLAYED, positions(dsn)[-1], True)


def own_server_name(dsn):
    return conninfo_to_dict(dsn)["dbname"]


def set_standby(admin, name):
    admin.execute(SQL("ALTER SYSTEM SET synchronous_standby_names = {}").format(name))
    admin.execute("SELECT pg_reload_conf()")


async def append_until_one_waits(appender, admin):
    """The process that tells committers to wait hears of the new setting some moments later than the one that set it:
    until then commits go through."""
    while True:
        waiting = asyncio.create_task(appender.append(proposal()))
        await until(lambda: waiting.done() or ask(admin, WAITS))  # noqa: B023 - called before the next round
        if not waiting.done():
            return waiting
        assert waiting.result().verdict is Verdict.STORED


def ask(admin, query):
    return admin.execute(query).fetchall()
