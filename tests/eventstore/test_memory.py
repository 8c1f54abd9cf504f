"""What the process keeps of the log: locks, forks and the cache."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from domain.event import Context
from domain.money import Currency, Money
from eventstore.cache import AggregateCache
from eventstore.fork import fork
from eventstore.locks import StreamLocks
from tests.eventstore.running import BUYER, in_loop, new_id
from tests.eventstore.toys import Opened, Purse

AT = Context(at=datetime(2026, 1, 1, tzinfo=UTC), actor=BUYER, command_id="c", request_digest="d", request_id="r")


@dataclass
class Mutable:
    items: list[int] = field(default_factory=list)


def purse(version=1):
    made = Purse.start(Opened, new_id(), AT, name="p", currency=Currency.NGN)
    made.collect_events()
    made.version = version
    return made


def test_what_is_done_to_a_fork_is_not_done_to_the_original():
    original = purse()
    original.nested = {"list": [1], "set": {1}, "object": Mutable([1]), "counter": Counter(a=1)}
    copied = fork(original)
    assert vars(copied) == vars(original) | {"nested": copied.nested}
    with copied.acting(AT):
        copied.put(5)
    copied.nested["list"].append(2)
    copied.nested["set"].add(2)
    copied.nested["counter"]["a"] += 1
    copied.nested["object"].items.append(2)
    assert (original.held_minor, original.history, original.version, original.pending_events) == (0, [], 1, [])
    assert type(copied.nested["counter"]) is Counter
    assert original.nested["counter"] == {"a": 1}
    assert (original.nested["list"], original.nested["set"], original.nested["object"].items) == ([1], {1}, [1])


def test_what_never_changes_is_shared():
    original = purse()
    original.price, original.lines = Money(5, Currency.NGN), ((1, 2),)
    copied = fork(original)
    assert copied.price is original.price
    assert copied.lines is original.lines


def test_the_cache_keeps_the_newest_versions_of_the_last_used(monkeypatch):
    monkeypatch.setattr("eventstore.cache.CAPACITY", 2)
    cache = AggregateCache()
    old, other, third = purse(2), purse(), purse()
    newer = fork(old)
    newer.version = 3
    for aggregate in (newer, old, other):
        cache.put(aggregate)
    assert cache.find(old.id) is newer
    cache.put(third)
    assert (cache.find(other.id), cache.find(old.id), cache.find(third.id)) == (None, newer, third)
    cache.drop([third.id, other.id])
    assert (cache.find(third.id), cache.find(old.id)) == (None, newer)


@in_loop
async def test_a_stream_is_held_by_one_at_a_time_in_the_order_of_arrival():
    locks, stream, order = StreamLocks(), new_id(), []

    async def hold(number):
        await locks.acquire({stream})
        order.append(number)
        await asyncio.sleep(0)
        assert order[-1] == number
        locks.release({stream})

    await asyncio.gather(*(hold(number) for number in range(20)))
    assert order == list(range(20))


@in_loop
async def test_nobody_who_holds_a_stream_waits_for_another():
    locks, one, other = StreamLocks(), new_id(), new_id()
    await locks.acquire({one})
    assert not locks.acquire_at_once({other, one})
    assert locks.acquire_at_once({other})
    locks.release({one, other})
    assert locks.acquire_at_once({one, other})


@pytest.mark.parametrize("seed", range(5))
def test_random_cancellations_neither_lose_nor_double_a_lock(seed):
    @in_loop
    async def scenario():
        dice, locks = random.Random(seed), StreamLocks()
        streams, holders = [new_id() for _ in range(4)], {}

        async def hold():
            wanted = set(dice.sample(streams, dice.randint(1, 3)))
            await locks.acquire(wanted)
            try:
                for stream in wanted:
                    assert holders.setdefault(stream, asyncio.current_task()) is asyncio.current_task()
                await asyncio.sleep(0)
            finally:
                for stream in wanted:
                    holders.pop(stream, None)
                locks.release(wanted)

        tasks = []
        for _ in range(400):
            tasks.append(asyncio.create_task(hold()))
            if dice.random() < 0.3:
                dice.choice(tasks).cancel()
            if dice.random() < 0.5:
                await asyncio.sleep(0)
        results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        assert {type(result) for result in results} <= {type(None), asyncio.CancelledError}
        assert locks.acquire_at_once(streams), "one of them is still locked"

    scenario()
