"""A sale at its stages, charged back, and what was answered."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from domain.transaction import Transaction
from domain.transaction.commands import AcknowledgeReveal, RevealCredentials
from domain.transaction.records import DisputeAnswer
from gateways.paystack.sim.records import DisputeRecord, UploadRecord
from tests.reactions.street import Street

ORDERED, ANSWERED = "processor_dispute_answer_ordered", "processor_dispute_answered"
Stage = Callable[[Street], Awaitable[UUID]]


async def shown(street: Street) -> UUID:
    transaction_id = await street.world.hold()
    await street.world.sign(transaction_id)
    await street.world.do(street.world.as_buyer, transaction_id, RevealCredentials(sealed_to="plaintext"))  # type: ignore[arg-type]
    return transaction_id


async def held(street: Street) -> UUID:
    transaction_id = await shown(street)
    await street.world.do(street.world.as_buyer, transaction_id, AcknowledgeReveal())  # type: ignore[arg-type]
    return transaction_id


async def released(street: Street) -> UUID:
    transaction_id = await street.world.hold()
    await street.world.confirm(transaction_id)
    return transaction_id


async def paid_out(street: Street) -> UUID:
    transaction_id = await released(street)
    await street.world.advance(transaction_id)
    return transaction_id


def answer_of(transaction: Transaction) -> DisputeAnswer | None:
    (dispute,) = transaction.disputes.values()
    return dispute.answer


async def require_answered_once(street: Street, transaction_id: UUID, dispute: DisputeRecord) -> None:
    assert street.answers(dispute) == 1
    ordered, answered = await street.history(transaction_id, ORDERED, ANSWERED)
    assert (ordered.topic.split(".")[1], answered.topic.split(".")[1]) == (ORDERED, ANSWERED)


def uploaded(street: Street, dispute: DisputeRecord) -> UploadRecord:
    (name,) = street.there(dispute).attachments
    found = street.paystack.sim.store.uploads.get(name)
    assert found is not None
    return found
