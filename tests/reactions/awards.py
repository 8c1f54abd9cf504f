"""The buyer complains of a sale, and staff decide who gets what."""

from uuid import UUID, uuid4

from domain.transaction.commands import OpenDispute
from domain.transaction.dispute import Award
from domain.transaction.phase import Phase
from domain.transaction.records import DisputeCategory, Finding
from domain.transaction.staff_commands import ResolveDispute
from reactions.watch import Watch
from tests.domain.people import SUPER
from tests.reactions.world import World

REASON = "decided after reading the evidence"
DIVIDED = Award(finding=Finding.UNCLEAR, reason=REASON, to_buyer_minor=10_000, to_seller_minor=85_000)


async def dispute_sale(world: World, transaction_id: UUID) -> UUID:
    """The buyer complains: nothing is sent to the seller meanwhile; return the dispute."""
    opened = OpenDispute(dispute_id=uuid4(), category=DisputeCategory.NOT_WORKING)
    await world.do(world.as_buyer, transaction_id, opened)
    return opened.dispute_id


async def resolve(world: World, transaction_id: UUID, award: Award) -> None:
    """The buyer complains, and this is what staff decide."""
    dispute_id = await dispute_sale(world, transaction_id)
    await world.do(SUPER, transaction_id, ResolveDispute(dispute_id=dispute_id, award=award, limit_usd_cents=10**9))


async def award(world: World, award: Award) -> UUID:
    """A sale that was paid for, and decided so."""
    transaction_id = await world.hold()
    await resolve(world, transaction_id, award)
    return transaction_id


async def refund(world: World, transaction_id: UUID) -> None:
    """A sale that was paid out is given back, for the seller was at fault: he owes 90 000."""
    await resolve(world, transaction_id, Award(finding=Finding.SELLER, reason=REASON))
    transaction = await world.advance(transaction_id)
    assert (transaction.phase, transaction.receivable_minor) == (Phase.REFUNDED, 90_000)
    await Watch(world.tools).catch_up()


async def owing(world: World) -> UUID:
    """Paid out, then refunded because the seller was at fault: he owes 90 000."""
    await world.top_up(500_000)
    transaction_id = await world.release()
    await world.advance(transaction_id)
    await refund(world, transaction_id)
    return transaction_id
