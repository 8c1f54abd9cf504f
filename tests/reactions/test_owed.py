"""What is owed to the buyer really reaches him: compensation, his share of a split, and a refund that failed."""

from uuid import UUID, uuid4

from domain.actor import Actor, Role
from domain.transaction import Transaction
from domain.transaction.commands import OpenDispute
from domain.transaction.dispute import Award
from domain.transaction.phase import Phase
from domain.transaction.records import DisputeCategory, Finding
from domain.transaction.staff_commands import ResolveDispute
from tests.conftest import Database
from tests.reactions.world import World, run

SUPER = Actor(str(UUID(int=0x501)), Role.SUPER_ADMIN)
REASON = "decided after reading the evidence"


async def award(world: World, award: Award) -> UUID:
    transaction_id, dispute_id = await world.hold(), uuid4()
    opened = OpenDispute(dispute_id=dispute_id, category=DisputeCategory.NOT_WORKING)
    await world.do(world.as_buyer, transaction_id, opened)  # type: ignore[arg-type]
    resolved = ResolveDispute(dispute_id=dispute_id, award=award, limit_usd_cents=10**9)
    await world.do(SUPER, transaction_id, resolved)  # type: ignore[arg-type]
    return transaction_id


async def settle(world: World, transaction_id: UUID) -> Transaction:
    for _ in range(3):
        transaction = await world.advance(transaction_id)
        world.wait(minutes=1)
    return transaction


def test_compensation_is_a_transfer_beside_the_full_refund(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(50_000)
        granted = Award(finding=Finding.PLATFORM, reason=REASON, compensation_minor=5_000)
        transaction = await settle(world, await award(world, granted))
        assert (transaction.phase, transaction.is_flat) == (Phase.REFUNDED, True)
        assert (await world.moved("refund"), await world.moved("transfer")) == ([-100_000], [-5_000])

    run(database.app_dsn, story)


def test_a_split_sends_each_his_share(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(50_000)
        divided = Award(finding=Finding.UNCLEAR, reason=REASON, to_buyer_minor=50_000, to_seller_minor=45_000)
        transaction = await settle(world, await award(world, divided))
        assert (transaction.phase, transaction.is_flat) == (Phase.SPLIT, True)
        assert (await world.moved("refund"), await world.moved("transfer")) == ([-50_000], [-45_000])

    run(database.app_dsn, story)


def test_a_refund_that_is_refused_reaches_the_buyer_as_a_transfer(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(50_000)
        await world.fault("refund", "refuse")
        at_fault = Award(finding=Finding.SELLER, reason=REASON)
        transaction = await settle(world, await award(world, at_fault))
        assert (transaction.phase, transaction.is_flat) == (Phase.REFUNDED, True)
        assert (await world.moved("refund"), await world.moved("transfer")) == ([], [-100_000])

    run(database.app_dsn, story)
