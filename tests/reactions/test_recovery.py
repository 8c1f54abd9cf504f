"""What the processor has and the log never heard of is taken up as far as that can be, and nothing is sent again."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.policy import MAX_PAYOUT_ATTEMPTS, PAYOUT_RETRY_AFTER, Terms
from domain.transaction.commands import OpenDispute
from domain.transaction.dispute import Award
from domain.transaction.phase import Phase
from domain.transaction.records import DisputeCategory, Finding, PayoutStatus
from domain.transaction.staff_commands import ForceRelease, ResolveDispute
from gateways.errors import GatewayError
from projections.external_payment import list_open_payments
from reactions.hold import discover
from reactions.recovery import Place, take_up
from tests.conftest import Database
from tests.domain.people import SUPER
from tests.reactions.holding import send_unheard, transfer_unheard
from tests.reactions.spoiling import spoil
from tests.reactions.street import Street, tell
from tests.reactions.working import fold, read
from tests.reactions.world import World

SETTLED = "SELECT reason FROM external_payments WHERE settled_at IS NOT NULL"


async def take(street: Street) -> dict[str, Place]:
    """What the log makes of each payment, by reference; what has no place is put on record, as the gate does it."""
    found = await take_up(street.world.tools, street.world.at - timedelta(days=3))
    for each in found:
        if each.place is Place.NONE:
            await discover(street.world.tools, each)
    return {getattr(each.payment, "reference", ""): each.place for each in found}


def test_a_payout_that_was_paid_after_another_had_failed_is_taken_up_when_its_turn_comes(database: Database) -> None:
    """Both were forgotten; the second can be recorded only when the pause after the first is over."""

    async def story(street: Street) -> None:
        world = street.world
        await world.top_up(200_000)
        transaction_id = await world.release()
        await world.fault("transfer", "fail")
        failed = await send_unheard(world, transaction_id, "seller", 90_000)
        await street.pass_time(minutes=2)
        paid = await send_unheard(world, transaction_id, "seller", 90_000, attempt=2)
        places = await take(street)
        assert (places[failed.reference], places[paid.reference]) == (Place.TAKEN, Place.NONE)
        fold(database)
        assert (await world.advance(transaction_id)).phase is Phase.RELEASING
        assert [row.reference for row in await list_open_payments(world.pool, transaction_id)] == [paid.reference]
        await street.pass_time(minutes=1)
        transaction = await world.advance(transaction_id)
        assert (transaction.phase, transaction.is_flat) == (Phase.COMPLETED, True)
        fold(database)
        assert read(database, SETTLED) == [("the log knows this payment now",)]
        assert sum(await world.moved("transfer") + await world.moved("transfer_returned")) == -90_000

    tell(database.app_dsn, story)


def test_a_payout_that_was_forced_after_five_had_failed_is_taken_up_when_it_is_forced_again(database: Database) -> None:
    async def story(street: Street) -> None:
        world = street.world
        await world.top_up(200_000)
        transaction_id = await world.release()
        await world.fault("transfer", "fail", times=MAX_PAYOUT_ATTEMPTS)
        for pause in (*PAYOUT_RETRY_AFTER, timedelta()):
            await world.advance(transaction_id)
            await street.pass_time(minutes=1)
            await world.advance(transaction_id)
            await street.pass_time(seconds=pause.total_seconds())
        forced = await send_unheard(world, transaction_id, "seller", 90_000, attempt=MAX_PAYOUT_ATTEMPTS + 1)
        assert (await take(street))[forced.reference] is Place.NONE
        fold(database)
        assert (await world.advance(transaction_id)).phase is Phase.PAYOUT_FAILED
        release = ForceRelease(reason="it had been forced before", limit_usd_cents=10**9)
        await world.do(SUPER, transaction_id, release)  # type: ignore[arg-type]
        assert (await world.advance(transaction_id)).phase is Phase.COMPLETED
        assert sum(await world.moved("transfer") + await world.moved("transfer_returned")) == -90_000

    tell(database.app_dsn, story)


@pytest.mark.parametrize("is_first_known", [False, True])
def test_a_payout_that_was_forced_after_another_had_been_refused_at_the_door_is_taken_up(
    database: Database, *, is_first_known: bool
) -> None:
    """Paystack never knew the first, the log may: that there is a second says that the first was over."""

    async def story(street: Street) -> None:
        world = street.world
        await world.top_up(200_000)
        transaction_id = await world.release()
        if is_first_known:
            await world.fault("transfer", "throttle")
            with pytest.raises(GatewayError):
                await world.advance(transaction_id)
        paid = await send_unheard(world, transaction_id, "seller", 90_000, attempt=2)
        assert (await take(street))[paid.reference] is Place.TAKEN
        transaction = await world.advance(transaction_id)
        assert (transaction.phase, transaction.is_flat) == (Phase.COMPLETED, True)
        assert await world.moved("transfer") == [-90_000]

    tell(database.app_dsn, story)


def test_a_payout_that_was_paid_at_the_second_attempt_is_taken_up_when_the_dispute_is_decided(
    database: Database,
) -> None:
    async def story(street: Street) -> None:
        world = street.world
        await world.top_up(200_000)
        transaction_id = await world.release()
        dispute_id = await dispute(world, transaction_id)
        await world.fault("transfer", "fail")
        failed = await send_unheard(world, transaction_id, "seller", 90_000)
        await street.pass_time(minutes=2)
        paid = await send_unheard(world, transaction_id, "seller", 90_000, attempt=2)
        places = await take(street)
        assert (places[failed.reference], places[paid.reference]) == (Place.UNPAID, Place.NONE)
        fold(database)
        await world.advance(transaction_id)
        award = Award(finding=Finding.BUYER, reason="decided by what Paystack has")
        resolved = ResolveDispute(dispute_id=dispute_id, award=award, limit_usd_cents=100_000)
        await world.do(SUPER, transaction_id, resolved)  # type: ignore[arg-type]
        assert (await world.advance(transaction_id)).phase is Phase.RELEASING
        await street.pass_time(minutes=1)
        transaction = await world.advance(transaction_id)
        assert (transaction.phase, transaction.is_flat) == (Phase.COMPLETED, True)
        assert await world.moved("refund") == []

    tell(database.app_dsn, story)


@pytest.mark.parametrize("amount_minor", [5_000, 4_999])
def test_a_forgotten_payout_of_just_the_reserve_is_taken_up_once_the_warranty_is_over(
    database: Database, amount_minor: int
) -> None:
    """The clock of a sale that is held back stands still: nobody else would ever release the reserve."""

    async def story(street: Street) -> None:
        world = street.world
        await world.top_up(200_000)
        transaction_id = await world.hold(Terms(reserve_bps=500, warranty_seconds=7 * 86_400))
        await world.confirm(transaction_id)
        await world.advance(transaction_id)
        await street.pass_time(minutes=1)
        assert (await world.advance(transaction_id)).stuck_reason == "awaiting_end_of_warranty"
        await street.pass_time(days=7)
        paid = await send_unheard(world, transaction_id, "seller", amount_minor, attempt=2)
        is_reserve = amount_minor == 5_000
        assert (await take(street))[paid.reference] is (Place.TAKEN if is_reserve else Place.NONE)
        fold(database)
        await street.pass_time(minutes=1)
        assert (await world.advance(transaction_id)).is_flat is is_reserve
        assert sum(await world.moved("transfer")) == -85_000 - amount_minor

    tell(database.app_dsn, story)


async def dispute(world: World, transaction_id: UUID) -> UUID:
    dispute_id = world.escrow.new_id()
    opened = OpenDispute(dispute_id=dispute_id, category=DisputeCategory.ACCESS_LOST)
    await world.do(world.as_buyer, transaction_id, opened)  # type: ignore[arg-type]
    return dispute_id


def test_one_transaction_that_cannot_be_read_keeps_back_what_it_has_and_no_other(database: Database) -> None:
    async def story(street: Street) -> None:
        world = street.world
        unreadable, disputed, paid = await world.hold(), await world.hold(), await world.open()
        charge = (await world.transaction(unreadable)).payment_reference
        for transaction_id in (unreadable, disputed):
            await street.dispute(transaction_id)
        await world.pay(paid)
        spoil(database, unreadable)
        assert (await take(street))[charge or ""] is Place.NONE
        assert (await world.transaction(disputed)).has_open_dispute
        assert (await world.transaction(paid)).phase is Phase.FUNDS_HELD

    tell(database.app_dsn, story)


def test_a_payout_that_never_reached_anybody_holds_nothing_back(database: Database) -> None:
    """While a dispute is open it cannot be recorded; nor does it have to be."""

    async def story(street: Street) -> None:
        world = street.world
        transaction_id = await world.release()
        await dispute(world, transaction_id)
        await world.fault("transfer", "fail")
        failed = await send_unheard(world, transaction_id, "seller", 90_000)
        await street.pass_time(minutes=2)
        assert (await take(street))[failed.reference] is Place.UNPAID

    tell(database.app_dsn, story)


def test_what_was_under_way_and_failed_is_let_go_and_the_log_says_why(database: Database) -> None:
    async def story(street: Street) -> None:
        world = street.world
        transaction_id = await world.hold()
        await world.fault("transfer", "fail")
        await transfer_unheard(world, database, transaction_id, "seller", 9_000)
        await street.pass_time(minutes=2)
        await world.advance(transaction_id)
        fold(database)
        assert read(database, SETTLED) == [("it was never paid, or was taken back",)]

    tell(database.app_dsn, story)


def test_a_payout_of_another_amount_than_was_ordered_has_no_place(database: Database) -> None:
    async def story(street: Street) -> None:
        world = street.world
        transaction_id = await world.release()
        await world.fault("transfer", "500_before", times=2)
        await world.advance(transaction_id)
        other = await send_unheard(world, transaction_id, "seller", 60_000)
        assert (await take(street))[other.reference] is Place.NONE
        transaction = await world.transaction(transaction_id)
        assert transaction.payouts[other.reference].status is PayoutStatus.UNCERTAIN
        fold(database)
        assert [row.kind for row in await list_open_payments(world.pool, transaction_id)] == ["transfer"]

    tell(database.app_dsn, story)
