"""Whatever staff decide about money, both parties are told of it, and no request that waits is voided by it."""

from collections.abc import Callable
from uuid import UUID

import pytest

from domain.actor import Actor, Role
from domain.aggregate import Aggregate
from domain.command import Command
from domain.transaction.commands import OpenDispute, RecordStatement
from domain.transaction.dispute import Award
from domain.transaction.phase import Phase
from domain.transaction.records import DisputeCategory, Finding
from domain.transaction.staff_commands import ForceRefund, ForceRelease, GrantApproval, ResolveDispute
from tests.conftest import Database
from tests.reactions.post import Post, deliver, open_post, told_in_log
from tests.reactions.world import World, run

BOSS, SECOND = Actor(str(UUID(int=1)), Role.SUPER_ADMIN), Actor(str(UUID(int=2)), Role.SUPER_ADMIN)
DISPUTE = UUID(int=9)
REASON = "looked into it for long"
ALONE, TOGETHER = 10**9, 1


DECISIONS = ("We released the money", "We ordered a refund", "The dispute is decided")


def release(limit: int) -> Command[Aggregate]:
    return ForceRelease(reason=REASON, limit_usd_cents=limit)  # type: ignore[return-value]


def refund(limit: int) -> Command[Aggregate]:
    return ForceRefund(reason=REASON, limit_usd_cents=limit)  # type: ignore[return-value]


def resolve(limit: int) -> Command[Aggregate]:
    award = Award(finding=Finding.SELLER, reason=REASON)
    return ResolveDispute(dispute_id=DISPUTE, award=award, limit_usd_cents=limit)  # type: ignore[return-value]


async def disputed(world: World) -> UUID:
    """Money is held, the buyer has said that he has access, and then disagreed."""
    transaction_id = await world.hold()
    statement = RecordStatement(content_id=UUID(int=3), content_sha256="0" * 64)
    await world.do(world.as_buyer, transaction_id, statement)  # type: ignore[arg-type]
    dispute = OpenDispute(dispute_id=DISPUTE, category=DisputeCategory.NOT_WORKING)
    await world.do(world.as_buyer, transaction_id, dispute)  # type: ignore[arg-type]
    return transaction_id


@pytest.mark.parametrize(
    ("decide", "subject", "end", "last"),
    [
        (release, "We released the money", Phase.COMPLETED, "You were paid"),
        (refund, "We ordered a refund", Phase.REFUNDED, "Your refund was sent"),
        (resolve, "The dispute is decided", Phase.REFUNDED, "Your refund was sent"),
    ],
)
def test_both_parties_are_told_of_what_staff_decide(
    database: Database, decide: Callable[[int], Command[Aggregate]], subject: str, end: Phase, last: str
) -> None:
    async def story(world: World) -> None:
        post = Post()
        notifier = await open_post(world, post)
        transaction_id = await disputed(world)
        await world.do(BOSS, transaction_id, decide(ALONE))
        await settle(world, transaction_id, end)
        await deliver(notifier)
        for user in (world.buyer, world.seller):
            assert [each for each in post.to(user) if each in DECISIONS] == [subject]
        assert "To the buyer: KES 0.00. To the seller: KES 0.00." not in " ".join(mail.text for mail in post.letters)
        assert last in post.to(world.seller if end is Phase.COMPLETED else world.buyer)
        assert all(REASON not in mail.text for mail in post.letters if "Listing" not in mail.text)
        template = "dispute_resolved" if decide is resolve else "decision_taken"
        [told] = [each for each in await told_in_log(world, transaction_id) if each.template == template]
        assert (set(told.user_ids), told.outcome) == ({world.buyer.id, world.seller.id}, "sent")

    run(database.app_dsn, story)


def test_of_one_decision_about_two_disputes_each_party_is_told_once_and_what_it_moves(database: Database) -> None:
    async def story(world: World) -> None:
        post = Post()
        notifier = await open_post(world, post)
        transaction_id = await world.hold()
        for actor, number in ((world.as_seller, UUID(int=8)), (world.as_buyer, DISPUTE)):
            dispute = OpenDispute(dispute_id=number, category=DisputeCategory.NOT_WORKING)
            await world.do(actor, transaction_id, dispute)  # type: ignore[arg-type]
        await world.do(BOSS, transaction_id, resolve(ALONE))
        for _ in range(2):
            await deliver(notifier)
        decided = [mail for mail in post.letters if mail.subject == "The dispute is decided"]
        assert sorted(mail.address for mail in decided) == sorted(str(one.email) for one in (world.buyer, world.seller))
        assert all("To the buyer: KES 1,000.00." in mail.text for mail in decided)

    run(database.app_dsn, story)


async def settle(world: World, transaction_id: UUID, end: Phase) -> None:
    """Let the processor send the money."""
    for _ in range(10):
        if (await world.advance(transaction_id)).phase is end:
            return
        await world.panel.post("/_sim/advance", json={"seconds": 86_400})
        world.wait(days=1)
    raise AssertionError(f"it did not become {end}")


@pytest.mark.parametrize(("decide", "subject"), list(zip([release, refund, resolve], DECISIONS, strict=True)))
def test_telling_people_voids_no_request_that_waits_for_a_second_person(
    database: Database, decide: Callable[[int], Command[Aggregate]], subject: str
) -> None:
    async def story(world: World) -> None:
        post = Post()
        notifier = await open_post(world, post)
        transaction_id = await disputed(world)
        await world.do(BOSS, transaction_id, decide(TOGETHER))
        before = len(await told_in_log(world, transaction_id))
        await deliver(notifier)
        assert len(await told_in_log(world, transaction_id)) > before
        assert "We decided" not in " ".join(mail.subject for mail in post.letters), "nothing is decided yet"
        [approval_id] = (await world.transaction(transaction_id)).approvals
        await world.do(SECOND, transaction_id, GrantApproval(approval_id=approval_id))  # type: ignore[arg-type]
        assert (await world.transaction(transaction_id)).held_minor == 0
        await deliver(notifier)
        assert subject in post.to(world.buyer)
        assert subject in post.to(world.seller)

    run(database.app_dsn, story)
