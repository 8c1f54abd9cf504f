"""One mechanism folds the log: batches, checkpoints, schemas, and events that cannot be folded."""

from dataclasses import replace

import psycopg
import pytest

from projections import rows, streams, writer
from projections.catch_up import ProjectionStopped, catch_up_together
from projections.checkpoint import NotInstalled
from projections.install import build_indexes, install, install_tables
from projections.ledger import LEDGER
from projections.listing import LISTINGS
from projections.registry import PROJECTIONS, find_projection
from projections.transaction import TRANSACTIONS
from tests.projections import wandering
from tests.projections.comparing import digest_tables, fold_from_zero
from tests.projections.conftest import Log
from tests.projections.stories import Story, append

INDEXES = """
SELECT regexp_replace(indexdef, ' ON [a-z]+[.]', ' ON ')
FROM pg_indexes WHERE schemaname = %s AND tablename <> 'projection_failures' ORDER BY 1
"""


@pytest.fixture
def told(log: Log) -> Log:
    """A log of which nothing is folded yet."""
    append(log.owner, wandering.told(5, sales=30, steps=500))
    return log


def head(log: Log) -> int:
    return len(log.rows("SELECT FROM escrow_events"))


def test_the_batch_size_changes_no_row(told: Log) -> None:
    catch_up_together(told.app, PROJECTIONS, batch_size=13)
    live = digest_tables(told.owner, "public")
    for number, batch_size in enumerate((1_000_000, 211)):
        assert fold_from_zero(told.owner, f"shadow_{number}", 10**9, batch_size) == live


def test_forgetting_rows_and_aggregates_changes_no_row(told: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit in memory is looked up in the tables, or built from the log again."""
    honest = fold_from_zero(told.owner, "honest", 10**9, 1_000_000)
    monkeypatch.setattr(rows, "KEPT_ROWS", 2)
    monkeypatch.setattr(streams, "KEPT_STREAMS", 2)
    monkeypatch.setattr(writer, "MANY", 2)
    catch_up_together(told.app, PROJECTIONS, batch_size=29)
    assert digest_tables(told.owner, "public") == honest


def test_one_reading_for_all_gives_what_each_gets_alone(told: Log) -> None:
    for projection in PROJECTIONS:
        assert catch_up_together(told.app, (projection,), batch_size=301) == head(told)
    assert digest_tables(told.owner, "public") == fold_from_zero(told.owner, "shadow", 10**9, 5_000)


def test_a_fold_up_to_a_position_is_the_past(told: Log) -> None:
    """As-of: the tables of a moment, whatever came later."""
    early = fold_from_zero(told.owner, "early", 300, 7)
    assert catch_up_together(told.app, PROJECTIONS, upto=300) == 300
    assert digest_tables(told.owner, "public") == early
    assert catch_up_together(told.app, PROJECTIONS, upto=200) == 300, "a fold never goes back"
    assert catch_up_together(told.app, PROJECTIONS) == head(told)
    assert digest_tables(told.owner, "public") != early


def test_progress_is_told_up_to_the_end(told: Log) -> None:
    seen: list[tuple[int, int]] = []
    catch_up_together(told.app, PROJECTIONS, batch_size=250, progress=lambda *place: seen.append(place))
    assert seen[0] == (250, head(told))
    assert seen[-1] == (head(told), head(told))


def test_an_empty_log_folds_to_empty_tables(log: Log) -> None:
    assert catch_up_together(log.app, PROJECTIONS) == 0
    assert log.rows("SELECT count(*) FROM transactions") == [(0,)]


def test_a_caller_inside_a_transaction_is_refused(told: Log) -> None:
    """His commit would part the rows from the checkpoint of this moment."""
    told.app.execute("SELECT 1")
    with pytest.raises(ValueError, match="transaction of their own"):
        catch_up_together(told.app, PROJECTIONS)


@pytest.mark.parametrize("batch_size", [1, 100, 20_000])
def test_what_stands_before_a_poisoned_event_is_folded_and_nothing_after_it(log: Log, batch_size: int) -> None:
    story = Story()
    story.sell()
    poisoned = append(log.owner, story.events) + 1
    with log.owner.transaction():
        log.owner.execute(
            "INSERT INTO escrow_events (originator_id, originator_version, topic, state, notification_id, recorded_at,"
            " leaf_hash) SELECT gen_random_uuid(), 1, 'listing.drafted.v1', '{\"price\": 3}', %s, now(), sha256('')",
            [poisoned],
        )
    story.events.clear()
    story.sell()
    append(log.owner, story.events)
    with pytest.raises(ProjectionStopped) as stopped:
        catch_up_together(log.app, (LISTINGS,), batch_size=batch_size)
    assert (stopped.value.projection, stopped.value.position) == ("listings", poisoned)
    assert log.rows("SELECT position FROM projection_checkpoints WHERE name = 'listings'") == [(poisoned - 1,)]
    assert log.rows("SELECT state FROM listings") == [("sold",)]
    assert catch_up_together(log.app, (LEDGER,), batch_size=batch_size) == head(log)


@pytest.mark.parametrize("batch_size", [1, 20_000])
def test_an_event_that_is_gone_stops_everybody_before_it(told: Log, batch_size: int) -> None:
    with psycopg.connect(told.database.superuser_dsn) as root:
        root.execute("ALTER TABLE escrow_events DISABLE TRIGGER USER")
        root.execute("DELETE FROM escrow_events WHERE notification_id = 123")
    for projection in PROJECTIONS:
        with pytest.raises(ProjectionStopped, match="MissingPosition") as stopped:
            catch_up_together(told.app, (projection,), batch_size=batch_size)
        assert stopped.value.position == 123
    assert told.rows("SELECT DISTINCT position FROM projection_checkpoints") == [(122,)]


def test_a_row_that_somebody_deleted_stops_the_fold_that_changes_it(log: Log) -> None:
    story = Story()
    sale = story.list_account()
    log.tell(story.events)
    with log.owner.transaction():
        log.owner.execute("DELETE FROM listings")
    sale.open()
    append(log.owner, story.events)
    with pytest.raises(ProjectionStopped, match="MissingRow"):
        catch_up_together(log.app, (LISTINGS,))


def test_journals_are_checked_again_when_they_are_read(log: Log) -> None:
    story = Story()
    sale = story.list_account()
    sale.open()
    sale.pay()
    append(log.owner, story.events)
    with psycopg.connect(log.database.superuser_dsn) as root:
        root.execute("ALTER TABLE escrow_events DISABLE TRIGGER USER")
        root.execute(
            "UPDATE escrow_events SET state = replace(convert_from(state, 'UTF8'), '[[\"expense:processor_charge_fee\","
            '"",1500]\', \'[["expense:processor_charge_fee","",1501]\')::bytea'
            " WHERE topic = 'transaction.payment_fee_assessed.v1'"
        )
    with pytest.raises(ProjectionStopped, match="UnbalancedJournal"):
        catch_up_together(log.app, (LEDGER,))


def test_installing_again_changes_nothing(told: Log) -> None:
    catch_up_together(told.app, PROJECTIONS)
    before = digest_tables(told.owner, "public")
    assert install(told.database.owner_dsn) == []
    assert digest_tables(told.owner, "public") == before


def test_a_new_version_starts_from_empty_tables_and_the_old_program_stops(told: Log) -> None:
    catch_up_together(told.app, PROJECTIONS)
    newer = replace(TRANSACTIONS, version=TRANSACTIONS.version + 1)
    with psycopg.connect(told.database.owner_dsn) as connection:
        assert install_tables(connection, (newer, LEDGER)) == ["transactions"]
    with pytest.raises(NotInstalled):
        catch_up_together(told.app, (TRANSACTIONS,))
    assert told.rows("SELECT count(*) FROM transactions") == [(0,)]
    assert catch_up_together(told.app, (newer,)) == head(told)


def test_indexes_can_be_built_after_loading(told: Log) -> None:
    with psycopg.connect(told.database.owner_dsn) as connection:
        connection.execute("CREATE SCHEMA shadow")
        install_tables(connection, PROJECTIONS, schema="shadow", with_indexes=False)
        build_indexes(connection, PROJECTIONS, schema="shadow")
    live = [name for (name,) in told.rows(INDEXES, ["public"])]
    assert set(told.rows(INDEXES, ["shadow"])) == {(name,) for name in live if _is_ours(str(name))}


def _is_ours(definition: str) -> bool:
    tables = {table.name for projection in PROJECTIONS for table in projection.tables} | {"projection_checkpoints"}
    return definition.split(" ON ")[1].split(" ", maxsplit=1)[0] in tables


def test_a_projection_is_found_by_its_name() -> None:
    assert find_projection("ledger") is LEDGER
    with pytest.raises(KeyError):
        find_projection("no such thing")
