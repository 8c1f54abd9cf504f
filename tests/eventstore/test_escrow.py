"""Commands through the whole way: once, in order, all or nothing, and refused with what would be possible."""

import asyncio
import uuid

import pytest

from domain.errors import (
    NotFound,
    PreconditionFailed,
    VersionConflict,
)
from eventstore.escrow import ATTEMPTS
from eventstore.log import get_head, read_after, read_stream
from eventstore.proposal import MAX_STATE_BYTES, EventTooLarge, SealedAnswer, Verdict
from eventstore.transcoder import Unencodable
from tests.eventstore.running import (
    append,
    clock,
    connect,
    facts,
    in_loop,
    new_id,
    open_purse,
    proposal,
    request,
    running,
)
from tests.eventstore.toys import (
    BuildShelf,
    Empty,
    Full,
    Move,
    OpenPurse,
    Purse,
    PutIn,
    Shelf,
    TakeIfOtherIsFull,
    TakeOut,
)


@in_loop
async def test_a_command_answers_with_the_new_state_and_its_position(database):
    async with running(database.app_dsn) as at:
        stream = new_id()
        opened = await at.escrow.execute(stream, OpenPurse(name="mine"), request())
        assert (opened.aggregate.name, opened.aggregate.version, opened.position, opened.replayed) == (
            "mine",
            1,
            1,
            False,
        )
        filled = await at.escrow.execute(stream, PutIn(amount_minor=5), request())
        assert (filled.aggregate.held_minor, filled.aggregate.version, filled.position) == (5, 2, 2)
        assert opened.aggregate.held_minor == 0, "an answer does not change after it was given"
        folded = await at.escrow.get(Purse, stream, version=2)
        assert facts(folded) == facts(filled.aggregate)


@pytest.mark.guarantee("G5", faults="none")
@in_loop
async def test_a_refusal_leaves_nothing_behind_and_says_what_is_possible(database):
    async with running(database.app_dsn) as at:
        stream = await open_purse(at.escrow, 5)
        with pytest.raises(Empty) as caught:
            await at.escrow.execute(stream, TakeOut(amount_minor=6), request("refused"))
        assert (caught.value.state, caught.value.allowed_actions) == ("full", ("put", "take"))
        assert await get_head(at.pool) == 2
        assert (await at.escrow.get(Purse, stream)).held_minor == 5
        await at.escrow.execute(stream, PutIn(amount_minor=1), request())
        assert (await at.escrow.execute(stream, TakeOut(amount_minor=6), request("refused"))).position == 4


@in_loop
async def test_a_missing_stream_and_one_of_another_type_are_not_found(database):
    async with running(database.app_dsn) as at:
        stream = await open_purse(at.escrow)
        for kind, wanted in ((Purse, new_id()), (Shelf, stream)):
            with pytest.raises(NotFound):
                await at.escrow.get(kind, wanted)
        with pytest.raises(NotFound):
            await at.escrow.execute(new_id(), PutIn(amount_minor=1), request())
        shelf = new_id()
        await at.escrow.execute(shelf, BuildShelf(), request())
        with pytest.raises(NotFound):
            await at.escrow.execute(shelf, PutIn(amount_minor=1), request())


@in_loop
async def test_the_past_is_folded_at_a_version_or_a_position(database):
    async with running(database.app_dsn) as at:
        stream = await open_purse(at.escrow, 5)
        await open_purse(at.escrow)
        await at.escrow.execute(stream, PutIn(amount_minor=7), request())
        held = [(await at.escrow.get(Purse, stream, version=version)).held_minor for version in (1, 2, 3)]
        assert held == [0, 5, 12]
        held = [(await at.escrow.get(Purse, stream, at_position=position)).held_minor for position in (1, 2, 3, 4, 99)]
        assert held == [0, 5, 5, 12, 12]
        for missing in ({"version": 4}, {"version": 0}, {"at_position": 0}):
            with pytest.raises(NotFound):
                await at.escrow.get(Purse, stream, **missing)


@in_loop
async def test_a_stale_if_match_is_refused_and_a_right_one_is_not(database):
    async with running(database.app_dsn) as at:
        stream = await open_purse(at.escrow, 5)
        with pytest.raises(PreconditionFailed) as caught:
            await at.escrow.execute(stream, PutIn(amount_minor=1), request(), expected_version=1)
        assert caught.value.state == "full"
        done = await at.escrow.execute(stream, PutIn(amount_minor=1), request(), expected_version=2)
        assert done.aggregate.version == 3


@in_loop
async def test_if_match_counts_also_what_another_process_wrote(database):
    async with running(database.app_dsn) as one, running(database.app_dsn) as other:
        stream = await open_purse(one.escrow)
        await other.escrow.execute(stream, PutIn(amount_minor=1), request())
        with pytest.raises(PreconditionFailed):
            await one.escrow.execute(stream, PutIn(amount_minor=1), request(), expected_version=1)
        await other.escrow.execute(stream, PutIn(amount_minor=1), request())
        done = await one.escrow.execute(stream, PutIn(amount_minor=1), request(), expected_version=3)
        assert done.aggregate.version == 4


@in_loop
async def test_no_answer_rests_on_what_another_process_has_overtaken(database):
    """Neither a decision, nor a refusal, nor the answer that nothing was to be done."""
    async with running(database.app_dsn) as one, running(database.app_dsn) as other:
        stream = await open_purse(one.escrow)
        await other.escrow.execute(stream, PutIn(amount_minor=5), request())
        taken = await one.escrow.execute(stream, TakeOut(amount_minor=5), request())
        assert (taken.aggregate.version, taken.aggregate.held_minor) == (3, 0)
        with pytest.raises(Empty) as caught:
            await other.escrow.execute(stream, TakeOut(amount_minor=5), request())
        assert caught.value.state == "empty"
        await one.escrow.execute(stream, PutIn(amount_minor=1), request())
        nothing = await other.escrow.execute(stream, PutIn(amount_minor=0), request())
        assert (nothing.aggregate.version, nothing.aggregate.held_minor) == (4, 1)


@in_loop
async def test_a_command_that_changes_nothing_succeeds_and_writes_nothing(database):
    async with running(database.app_dsn) as at:
        stream = await open_purse(at.escrow, 5)
        done = await at.escrow.execute(stream, PutIn(amount_minor=0), request())
        assert (done.position, done.replayed, done.aggregate.version) == (2, False, 2)
        assert await get_head(at.pool) == 2


@in_loop
async def test_a_dry_run_shows_what_would_be_and_writes_nothing(database):
    async with running(database.app_dsn) as at:
        stream = await open_purse(at.escrow, 5)
        would = await at.escrow.execute(stream, PutIn(amount_minor=2), request("k"), dry_run=True)
        assert (would.aggregate.held_minor, would.aggregate.version, would.replayed) == (7, 3, False)
        with pytest.raises(Empty) as caught:
            await at.escrow.execute(stream, TakeOut(amount_minor=6), request(), dry_run=True)
        assert caught.value.allowed_actions == ("put", "take")
        opened = await at.escrow.execute(new_id(), OpenPurse(), request(), dry_run=True)
        assert opened.aggregate.version == 1
        assert await get_head(at.pool) == 2
        assert (await at.escrow.get(Purse, stream)).held_minor == 5
        assert not (await at.escrow.execute(stream, PutIn(amount_minor=2), request("k"))).replayed


@in_loop
async def test_streams_that_change_together_commit_together(database):
    async with running(database.app_dsn) as at:
        one, other = await open_purse(at.escrow, 5), await open_purse(at.escrow)
        moved = await at.escrow.execute(one, Move(into=other, amount_minor=3), request("k"))
        assert (moved.aggregate.held_minor, (await at.escrow.get(Purse, other)).held_minor) == (2, 3)
        with pytest.raises(Empty):
            await at.escrow.execute(one, Move(into=other, amount_minor=3), request())
        assert [event.stream_id for event in await read_after(at.pool, 3)] == [one, other]
        again = await at.escrow.execute(one, Move(into=other, amount_minor=3), request("k"))
        assert (again.replayed, again.aggregate.id, again.aggregate.held_minor) == (True, one, 2)


@in_loop
async def test_a_creation_commits_with_what_it_depends_on(database):
    async with running(database.app_dsn) as at:
        shelf = new_id()
        await at.escrow.execute(shelf, BuildShelf(room=3), request())
        racing = [at.escrow.execute(new_id(), OpenPurse(shelf_id=shelf), request()) for _ in range(8)]
        results = await asyncio.gather(*racing, return_exceptions=True)
        opened = [result.aggregate.id for result in results if not isinstance(result, Full)]
        assert len(opened) == 3
        assert set((await at.escrow.get(Shelf, shelf)).purses) == set(opened)
        assert await get_head(at.pool) == 7
        with pytest.raises(NotFound):
            await at.escrow.execute(new_id(), OpenPurse(shelf_id=new_id()), request())


@in_loop
async def test_a_decision_that_read_another_stream_rests_on_its_newest_version(database):
    """Write skew: each process sees the other purse full and empties its own; only one of them may."""
    async with running(database.app_dsn) as one, running(database.app_dsn) as other:
        for _ in range(10):
            a, b = await open_purse(one.escrow, 1), await open_purse(one.escrow, 1)
            for at in (one, other):
                await at.escrow.get(Purse, a)
                await at.escrow.get(Purse, b)
            results = await asyncio.gather(
                one.escrow.execute(a, TakeIfOtherIsFull(other=b, amount_minor=1), request()),
                other.escrow.execute(b, TakeIfOtherIsFull(other=a, amount_minor=1), request()),
                return_exceptions=True,
            )
            assert [type(result) for result in results].count(Empty) == 1


@in_loop
async def test_opposite_commands_on_two_streams_never_wait_for_each_other(database):
    async with running(database.app_dsn) as at:
        a, b = await open_purse(at.escrow, 1000), await open_purse(at.escrow, 1000)
        moves = [
            at.escrow.execute(source, Move(into=target, amount_minor=1), request())
            for source, target in [(a, b), (b, a)] * 40
        ]
        await asyncio.wait_for(asyncio.gather(*moves), 20)
        assert (await at.escrow.get(Purse, a)).held_minor == 1000
        await move_there_and_back(at.escrow, a, b)


async def move_there_and_back(escrow, a, b):
    """Whoever still held one of the two would be waited for."""
    for source, target in ((a, b), (b, a)):
        await asyncio.wait_for(escrow.execute(source, Move(into=target, amount_minor=1), request()), 10)


@in_loop
async def test_cancelled_callers_leave_no_lock_and_no_half_command(database):
    async with running(database.app_dsn) as at:
        a, b = await open_purse(at.escrow, 10_000), await open_purse(at.escrow, 10_000)
        given_up = []
        for round_number in range(60):
            commands = [
                (source, Move(into=target, amount_minor=1), request()) for source, target in [(a, b), (b, a), (a, b)]
            ]
            tasks = [asyncio.create_task(at.escrow.execute(*command)) for command in commands]
            for _ in range(round_number % 7):
                await asyncio.sleep(0)
            if round_number % 2:
                await asyncio.sleep(0.001)
            for task in tasks[:2]:
                task.cancel()
            await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
            assert not tasks[2].exception()
            given_up += commands[:2]
        await move_there_and_back(at.escrow, a, b)
        for command in given_up:  # none is still running: each is done now, or was and is answered again
            await at.escrow.execute(*command)
        both = [await at.escrow.get(Purse, stream) for stream in (a, b)]
        assert sum(purse.held_minor for purse in both) == 20_000
        assert await get_head(at.pool) == 4 + 2 * (both[0].version - 2)


@in_loop
async def test_a_decision_that_loses_is_made_again_and_gives_up_in_the_end(database, monkeypatch):
    async with running(database.app_dsn) as at:
        stream = await open_purse(at.escrow)
        decided = []

        def interfere(self, aggregate, *related):
            decided.append(aggregate.version)
            if len(decided) <= losses:
                with connect(database.owner_dsn) as owner:
                    owner.execute(
                        "INSERT INTO escrow_events SELECT originator_id, originator_version + 1, topic, state,"
                        " notification_id + 1, recorded_at, leaf_hash FROM escrow_events WHERE topic = 'toy.put.v1'"
                        " ORDER BY notification_id DESC LIMIT 1"
                    )
            aggregate.put(self.amount_minor)

        await at.escrow.execute(stream, PutIn(amount_minor=1), request())
        monkeypatch.setattr(PutIn, "decide", interfere)
        losses = ATTEMPTS - 1
        assert (await at.escrow.execute(stream, PutIn(amount_minor=1), request())).aggregate.held_minor == ATTEMPTS + 1
        assert decided == [2, 3, 4, 5]
        decided, losses = [], ATTEMPTS
        with pytest.raises(VersionConflict):
            await at.escrow.execute(stream, PutIn(amount_minor=1), request())
        assert len(decided) == ATTEMPTS


@in_loop
async def test_a_sealed_answer_is_written_with_the_events(database):
    async with running(database.app_dsn) as at:
        stream = await open_purse(at.escrow)
        sealed = SealedAnswer(stream, new_id(), new_id(), b"sealed", clock())
        asked = request()
        await at.escrow.execute(stream, PutIn(amount_minor=1), asked, answer=sealed)
    with connect(database.app_dsn) as connection:
        assert connection.execute("SELECT * FROM reveal_answers").fetchall() == [(asked.command_id, *sealed)]


@pytest.mark.weakness("W20")
@in_loop
async def test_events_carry_actor_command_digest_and_request(database):
    async with running(database.app_dsn) as at:
        asked = request("k")
        stream = new_id()
        await at.escrow.execute(stream, OpenPurse(), asked)
        (recorded,) = await read_stream(at.pool, stream)
    assert recorded.topic == "toy.opened.v1"
    assert recorded.data["actor_id"] == asked.actor.id
    assert recorded.data["command_id"] == asked.command_id.hex()
    assert recorded.data["request_digest"] == asked.digest.hex()
    assert recorded.data["request_id"] == "r-k"
    assert recorded.event.name == "purse"


@in_loop
async def test_what_cannot_be_recorded_is_refused_and_leaves_nothing_behind(database):
    async with running(database.app_dsn) as at:
        for name, error in (("x" * MAX_STATE_BYTES, EventTooLarge), ("a\0b", Unencodable)):
            with pytest.raises(error):
                await at.escrow.execute(new_id(), OpenPurse(name=name), request("k"))
        assert await get_head(at.pool) == 0
        assert (await at.escrow.execute(new_id(), OpenPurse(), request("k"))).position == 1


@in_loop
async def test_a_stream_that_exists_is_not_created_again(database):
    async with running(database.app_dsn) as at:
        stream = await open_purse(at.escrow)
        with pytest.raises(VersionConflict):
            await at.escrow.execute(stream, OpenPurse(), request())
        assert await get_head(at.pool) == 1


@in_loop
async def test_the_cache_catches_up_when_another_program_wrote(database):
    async with running(database.app_dsn) as at:
        stream = await open_purse(at.escrow, 5)
        with connect(database.app_dsn) as connection:
            state = (await read_stream(at.pool, stream))[-1].state
            (outcome,) = append(connection, proposal(stream, 3, state=state, topic="toy.put.v1"))
            assert outcome.verdict is Verdict.STORED
        assert (await at.escrow.get(Purse, stream)).held_minor == 10
        assert (await at.escrow.execute(stream, TakeOut(amount_minor=10), request())).aggregate.held_minor == 0


def test_ids_are_version_7():
    assert new_id().version == 7
    assert isinstance(new_id(), uuid.UUID)
