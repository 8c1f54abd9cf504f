"""The same request is carried out once and answered as the first time, whatever happened in between."""

import asyncio

import pytest

from domain.errors import (
    IdempotencyMismatch,
    StillRunning,
)
from eventstore.log import get_head
from eventstore.proposal import OutcomeUnknown
from tests.eventstore.proxy import Proxy
from tests.eventstore.running import (
    connect,
    facts,
    impatient,
    in_loop,
    new_id,
    open_purse,
    request,
    running,
)
from tests.eventstore.toys import (
    BuildShelf,
    Full,
    OpenPurse,
    Purse,
    PutIn,
    TakeOut,
)

FIVE = PutIn(amount_minor=5)


@in_loop
async def test_the_same_request_is_answered_as_the_first_time(database):
    async with running(database.app_dsn) as at:
        stream = await open_purse(at.escrow)
        first = await at.escrow.execute(stream, PutIn(amount_minor=5), request("k"))
        await at.escrow.execute(stream, PutIn(amount_minor=7), request())
        again = await at.escrow.execute(stream, PutIn(amount_minor=5), request("k"))
        assert (again.replayed, again.position, again.aggregate.held_minor) == (True, first.position, 5)
        assert await get_head(at.pool) == 3


@in_loop
async def test_a_request_that_would_now_be_refused_is_still_answered_as_the_first_time(database):
    async with running(database.app_dsn) as at:
        stream = await open_purse(at.escrow, 5)
        await at.escrow.execute(stream, TakeOut(amount_minor=5), request("k"))
        again = await at.escrow.execute(stream, TakeOut(amount_minor=5), request("k"))
        assert (again.replayed, again.position, again.aggregate.held_minor) == (True, 3, 0)
        stale = await at.escrow.execute(stream, TakeOut(amount_minor=5), request("k"), expected_version=2)
        assert stale.replayed


@in_loop
async def test_a_creation_is_found_again_although_each_attempt_invents_a_new_id(database):
    async with running(database.app_dsn) as at:
        shelf = new_id()
        await at.escrow.execute(shelf, BuildShelf(room=1), request())
        first = await at.escrow.execute(new_id(), OpenPurse(shelf_id=shelf), request("k"))
        again = await at.escrow.execute(new_id(), OpenPurse(shelf_id=shelf), request("k"))
        assert (again.replayed, again.aggregate.id, again.position) == (True, first.aggregate.id, first.position)
        with pytest.raises(Full):
            await at.escrow.execute(new_id(), OpenPurse(shelf_id=shelf), request())


@in_loop
async def test_a_key_used_for_another_request_is_a_mismatch(database):
    async with running(database.app_dsn) as at:
        stream = await open_purse(at.escrow)
        await at.escrow.execute(stream, PutIn(amount_minor=5), request("k", "five"))
        for command in (PutIn(amount_minor=6), TakeOut(amount_minor=99), PutIn(amount_minor=0)):
            with pytest.raises(IdempotencyMismatch):
                await at.escrow.execute(stream, command, request("k", "six"))
        assert await get_head(at.pool) == 2


@in_loop
async def test_the_same_key_at_the_same_time_is_carried_out_once(database):
    async with running(database.app_dsn) as at:
        stream = await open_purse(at.escrow)
        with connect(database.owner_dsn) as owner, owner.transaction():
            owner.execute("LOCK TABLE escrow_events IN EXCLUSIVE MODE")
            first, *repeats = [asyncio.create_task(at.escrow.execute(stream, FIVE, request("k"))) for _ in range(10)]
            results = await asyncio.gather(*repeats, return_exceptions=True)
            assert [type(result) for result in results] == [StillRunning] * 9
            assert results[0].facts == {"retry_after_seconds": 1}
        assert not (await first).replayed
        assert (await at.escrow.get(Purse, stream)).held_minor == 5


@in_loop
async def test_what_was_answered_once_is_answered_to_any_number_of_repeats_at_the_same_time(database):
    async with running(database.app_dsn) as at:
        stream = await open_purse(at.escrow)
        first = await at.escrow.execute(stream, FIVE, request("k"))
        repeats = await asyncio.gather(*(at.escrow.execute(stream, FIVE, request("k")) for _ in range(10)))
        assert [(again.replayed, again.position) for again in repeats] == [(True, first.position)] * 10
        others = (at.escrow.execute(stream, FIVE, request("k", "another body")) for _ in range(10))
        refused = await asyncio.gather(*others, return_exceptions=True)
        assert [type(result) for result in refused] == [IdempotencyMismatch] * 10


@pytest.mark.guarantee("G5", faults="the same key in two processes at once", runs="30 commands")
@in_loop
async def test_the_same_key_in_two_processes_is_carried_out_once(database):
    async with running(database.app_dsn) as one, running(database.app_dsn) as other:
        stream = await open_purse(one.escrow)
        for n in range(30):
            racing = [at.escrow.execute(stream, PutIn(amount_minor=5), request(n)) for at in (one, other)]
            first, second = await asyncio.gather(*racing)
            assert first.replayed != second.replayed
            assert first.position == second.position == n + 2
            assert facts(first.aggregate) == facts(second.aggregate)
        assert (await one.escrow.get(Purse, stream)).held_minor == 150


@pytest.mark.guarantee("G5", faults="the same, and the server stays away", runs="1 cut")
@in_loop
async def test_an_unknown_outcome_is_told_by_asking_again(database):
    async with Proxy(database.app_dsn) as proxy, running(proxy.dsn) as at:
        stream = await open_purse(at.escrow)
        proxy.cut_after_next_commit(and_refuse=True)
        with impatient(at.appender), pytest.raises(OutcomeUnknown):
            await at.escrow.execute(stream, PutIn(amount_minor=5), request("k"))
        proxy.accept()
        again = await at.escrow.execute(stream, PutIn(amount_minor=5), request("k"))
        assert (again.replayed, again.position, again.aggregate.held_minor) == (True, 2, 5)
        assert (await at.escrow.execute(stream, PutIn(amount_minor=5), request())).aggregate.held_minor == 10


@pytest.mark.guarantee("G5", faults="the connection is cut after COMMIT was sent on, before its answer", runs="20 cuts")
@in_loop
async def test_lost_acknowledgements_are_answered_with_the_original_result(database):
    async with Proxy(database.app_dsn) as proxy, running(proxy.dsn) as at:
        stream = await open_purse(at.escrow)
        for n in range(20):
            proxy.cut_after_next_commit()
            done = await at.escrow.execute(stream, PutIn(amount_minor=1), request())
            assert (done.aggregate.held_minor, done.position, done.replayed) == (n + 1, n + 2, False)
        assert proxy.cuts == 20
