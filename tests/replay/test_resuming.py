"""A rebuild that was interrupted is resumed, or begun anew where what it left is not worth it."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from replay.damage import TableUnreadable
from replay.progress import Step
from replay.rebuild import rebuild
from replay.rebuilding import REBUILD, read_shadow
from replay.shadow import connect_owner
from tests.replay.conftest import Damage, Recorded, compare, mend
from tests.replay.damaging import lose_file
from tests.waiting import wait_until

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def test_a_shadow_that_is_longer_than_the_log_is_not_continued(folded: Recorded, damage: Damage) -> None:
    leave_shadow(folded)
    damage(f"UPDATE {REBUILD}.projection_checkpoints SET position = 100000")
    mend(folded)
    assert compare(folded).ok


def test_a_shadow_of_another_program_is_not_continued(folded: Recorded, damage: Damage) -> None:
    leave_shadow(folded)
    damage(f"UPDATE {REBUILD}.transactions SET state = 'as it was once thought'")
    damage(f"COMMENT ON SCHEMA {REBUILD} IS 'escrow rebuild by an older program'")
    mend(folded)
    assert compare(folded).ok


def leave_shadow(folded: Recorded) -> None:
    """A rebuild that is interrupted when everything is folded."""

    class Interrupted(Exception):
        pass

    def interrupt(step: Step) -> None:
        if step.phase == "fold" and step.done == step.total:
            raise Interrupted

    with pytest.raises(Interrupted):
        rebuild(folded.database.owner_dsn, actor="tests", processes=1, progress=interrupt)
    with connect_owner(folded.database.owner_dsn) as connection:
        assert set(read_shadow(connection).values()) == {folded.head}


def test_an_interrupted_rebuild_is_resumed(folded: Recorded) -> None:
    leave_shadow(folded)
    done = rebuild(folded.database.owner_dsn, actor="tests", processes=1)
    assert done.resumed_from == folded.head
    assert done.events == 0
    assert compare(folded).ok


def test_a_rebuild_that_is_interrupted_while_the_server_builds_indexes_ends_at_once_and_is_resumed(
    folded: Recorded,
) -> None:
    leave_shadow(folded)
    dsn, before = folded.database.owner_dsn, signal.signal(signal.SIGUSR1, signal.default_int_handler)
    with connect_owner(dsn) as holder, connect_owner(dsn) as onlooker, ThreadPoolExecutor(1) as threads:

        def waiting() -> int:
            return (onlooker.execute(WAITING).fetchone() or (0,))[0]

        def interrupt() -> None:
            wait_until(waiting)
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

        with holder.transaction():
            holder.execute("LOCK TABLE replay_rebuild.payouts, replay_rebuild.refunds")
            threads.submit(interrupt)
            with pytest.raises(KeyboardInterrupt):
                rebuild(dsn, actor="tests", processes=1)
            assert waiting() == 0
    signal.signal(signal.SIGUSR1, before)
    assert rebuild(folded.database.owner_dsn, actor="tests", processes=1).resumed_from == folded.head
    assert compare(folded).ok


def test_a_shadow_that_cannot_be_read_is_named_and_the_next_rebuild_begins_anew(
    folded: Recorded, damage: Damage
) -> None:
    leave_shadow(folded)
    lose_file(damage, f"{REBUILD}.payouts")
    with pytest.raises(TableUnreadable) as caught:
        mend(folded)
    assert caught.value.facts["table"] == f"{REBUILD}.payouts"
    mend(folded)
    assert compare(folded).ok
