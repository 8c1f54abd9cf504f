"""Only a transfer that the log ordered is approved, whatever else is asked about."""

import json
from uuid import UUID, uuid4

import pytest

from domain.transaction.commands import OpenDispute
from domain.transaction.records import DisputeCategory
from gateways.errors import GatewayError
from reactions.transfer_approval import EVENT, TransferNotOrdered, check_ordered
from tests.conftest import Database
from tests.reactions.spoiling import spoil
from tests.reactions.world import World, run

Question = dict[str, object]


async def ordered(world: World) -> tuple[Question, UUID]:
    """A payout whose intent is committed, and the question about it; the processor cannot be reached yet."""
    transaction_id = await world.hold()
    await world.confirm(transaction_id)
    await world.fault("transfer", "throttle")
    with pytest.raises(GatewayError):
        await world.advance(transaction_id)
    (payout,) = (await world.transaction(transaction_id)).payouts.values()
    question: Question = {
        "reference": payout.reference,
        "amount": payout.amount_minor,
        "currency": "KES",
        "recipient": {"recipient_code": payout.recipient},
        "reason": f"escrow {transaction_id}",
    }
    return question, transaction_id


def body(*transfers: object, event: str = EVENT) -> bytes:
    return json.dumps({"event": event, "data": {"transfers": transfers}}).encode()


def test_a_transfer_of_the_log_is_approved_by_one_look_at_it(database: Database) -> None:
    async def story(world: World) -> None:
        question, _ = await ordered(world)
        before = world.pool.get_stats()["requests_num"]
        await check_ordered(world.escrow, body(question))
        assert world.pool.get_stats()["requests_num"] == before + 1

    run(database.app_dsn, story)


def test_what_differs_in_anything_is_refused(database: Database) -> None:
    async def story(world: World) -> None:
        question, _ = await ordered(world)
        others: list[Question] = [
            {"reference": "po-somebody-elses"},
            {"amount": 90_001},
            {"currency": "NGN"},
            {"recipient": {"recipient_code": "RCP_thief"}},
            {"recipient": None},
            {"reason": f"escrow {uuid4()}"},
            {"reason": "Payout"},
        ]
        for bodies in (body(), body("x"), body(question, event="transfer.success"), b"", b"[]"):
            with pytest.raises(TransferNotOrdered):
                await check_ordered(world.escrow, bodies)
        for other in others:
            with pytest.raises(TransferNotOrdered):
                await check_ordered(world.escrow, body(question | other))
        with pytest.raises(TransferNotOrdered):
            await check_ordered(world.escrow, body(question, question | others[0]))
        with pytest.raises(TransferNotOrdered):
            await check_ordered(world.escrow, body(question, question))

    run(database.app_dsn, story)


def test_one_of_a_transaction_that_cannot_be_read_is_refused(database: Database) -> None:
    async def story(world: World) -> None:
        question, transaction_id = await ordered(world)
        spoil(database, transaction_id)
        with pytest.raises(TransferNotOrdered):
            await check_ordered(world.escrow, body(question))

    run(database.app_dsn, story)


def test_a_payout_that_a_dispute_freezes_or_that_is_over_is_refused(database: Database) -> None:
    async def story(world: World) -> None:
        frozen, transaction_id = await ordered(world)
        dispute = OpenDispute(dispute_id=uuid4(), category=DisputeCategory.ACCESS_LOST)
        await world.do(world.as_buyer, transaction_id, dispute)  # type: ignore[arg-type]
        with pytest.raises(TransferNotOrdered):
            await check_ordered(world.escrow, body(frozen))
        paid, transaction_id = await ordered(world)
        await world.advance(transaction_id)  # type: ignore[arg-type]
        with pytest.raises(TransferNotOrdered):
            await check_ordered(world.escrow, body(paid))

    run(database.app_dsn, story)
