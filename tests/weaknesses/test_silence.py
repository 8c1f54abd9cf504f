"""Elsewhere no deadline is enforced: whoever says nothing keeps the other's money, or account, for ever."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from domain.listing.status import ListingStatus
from domain.transaction.commands import AcknowledgeReveal, RevealCredentials
from domain.transaction.phase import Phase
from tests.conftest import Database
from tests.reactions.world import World, run

ENDS = {Phase.REFUNDING: Phase.REFUNDED, Phase.RELEASING: Phase.COMPLETED}
Act = Callable[[World], Awaitable[UUID]]


async def never_looked_at(world: World) -> UUID:
    transaction_id = await world.hold()
    await world.sign(transaction_id)
    return transaction_id


async def seen_and_silent(world: World) -> UUID:
    transaction_id = await never_looked_at(world)
    for command in (RevealCredentials(sealed_to="plaintext"), AcknowledgeReveal()):
        await world.do(world.as_buyer, transaction_id, command)
    return transaction_id


@pytest.mark.weakness("W24", "W35")
@pytest.mark.parametrize(
    ("begin", "hours", "phase", "is_paid_out"),
    [
        (World.open, 24, Phase.EXPIRED, False),
        (World.hold, 72, Phase.REFUNDING, False),
        (never_looked_at, 72, Phase.REFUNDING, False),
        (seen_and_silent, 72, Phase.RELEASING, True),
    ],
)
def test_silence_ends_where_the_terms_say(
    database: Database, begin: Act, hours: int, phase: Phase, *, is_paid_out: bool
) -> None:
    async def tell(world: World) -> None:
        transaction_id = await begin(world)
        before = (await world.transaction(transaction_id)).phase
        world.wait(hours=hours, seconds=-10)
        assert (await world.advance(transaction_id)).phase is before
        world.wait(seconds=20)
        after = await world.advance(transaction_id)
        assert after.phase in {phase, ENDS.get(phase)}
        assert (await world.moved("transfer") == [-90_000]) is is_paid_out

    run(database.app_dsn, tell)


@pytest.mark.weakness("W24")
def test_the_listing_of_an_unpaid_sale_is_for_sale_again(database: Database) -> None:
    async def tell(world: World) -> None:
        transaction_id = await world.open()
        world.wait(hours=24, seconds=1)
        await world.advance(transaction_id)
        assert (await world.listing_of(transaction_id)).state == ListingStatus.APPROVED

    run(database.app_dsn, tell)


@pytest.mark.weakness("W24")
def test_credentials_that_were_shown_and_never_acknowledged_are_decided_by_a_person(database: Database) -> None:
    async def tell(world: World) -> None:
        transaction_id = await never_looked_at(world)
        await world.do(world.as_buyer, transaction_id, RevealCredentials(sealed_to="plaintext"))
        world.wait(hours=72, seconds=1)
        after = await world.advance(transaction_id)
        assert after.phase is Phase.CREDENTIALS_RELEASED
        assert after.stuck_reason is not None
        assert await world.moved("transfer") == []

    run(database.app_dsn, tell)
