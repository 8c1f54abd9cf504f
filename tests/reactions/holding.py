"""A transaction that is held back: the processor has a transfer of it that the log has no place for."""

from uuid import UUID

from domain.ids import derive_reference
from domain.money import Currency, Money
from gateways.payment import NewRecipient, NewTransfer, Transfer
from reactions.hold import discover
from reactions.naming import write_reason
from reactions.recovery import Found, Place
from tests.conftest import Database
from tests.reactions.working import fold
from tests.reactions.world import World


async def send_unheard(
    world: World, transaction_id: UUID, purpose: str, amount_minor: int, *, attempt: int = 1
) -> Transfer:
    """Send under a reference of ours what nobody here has ordered."""
    recipient = await world.tools.gateway.create_recipient(
        NewRecipient(
            type="mobile_money", name="s", account_number="0712345678", bank_code="MPESA", currency=Currency.KES
        )
    )
    wanted = NewTransfer(
        reference=derive_reference("po", transaction_id, purpose, attempt),
        recipient_code=recipient.recipient_code,
        amount=Money(amount_minor, Currency.KES),
        reason=write_reason(transaction_id),
    )
    return await world.tools.gateway.initiate_transfer(wanted)


async def transfer_unheard(
    world: World, database: Database, transaction_id: UUID, purpose: str, amount_minor: int
) -> str:
    """Send what nobody here has ordered, and put on record that it has no place; return its reference."""
    transfer = await send_unheard(world, transaction_id, purpose, amount_minor)
    await discover(world.tools, Found(transfer, transaction_id, Place.NONE))
    fold(database)
    return transfer.reference
