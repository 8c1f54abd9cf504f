"""A webhook comes late, twice, out of order, untrue, about nothing of ours, or while the worker dies: such systems then
lose money or book it twice. Here nothing is lost and nothing is applied twice."""

import pytest

from tests.conftest import Database
from tests.reactions.world import World, run
from tests.weaknesses.deliveries import Size, tell

MANY = Size(events=10_000, patience_seconds=600)


async def tell_with_kills(world: World, database: Database, seed: int, size: Size) -> None:
    assert (await tell(world, database, seed, size)).kills_at_work >= 3


@pytest.mark.weakness("W10", "W15")
@pytest.mark.guarantee(
    "G15",
    faults="one to four times each, in any order, twenty at once, true or not; kill -9 of the worker",
    runs="1,000 events",
)
@pytest.mark.timeout(900)
def test_a_thousand_events_shuffled_repeated_and_with_a_dying_worker(database: Database) -> None:
    run(database.app_dsn, lambda world: tell_with_kills(world, database, 1, Size(events=1_000)))


@pytest.mark.guarantee("G15", faults="the same", runs="5 x 10,000 events")
@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_many_thousand_events_shuffled_repeated_and_with_a_dying_worker(database: Database, seed: int) -> None:
    run(database.app_dsn, lambda world: tell_with_kills(world, database, seed, MANY))
