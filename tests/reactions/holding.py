"""A transaction that is held back: the processor has a transfer of it that the log has no place for."""

from uuid import UUID

from domain.ids import derive_reference
from domain.money import Currency, Money
from gateways.payment import NewRecipient, NewTransfer
from reactions.hold import discover
from reactions.recovery import Found, Place
from tests.conftest import Database
from tests.reactions.working import fold
from tests.reactions.world import World


async def transfer_unheard(
    world: World, database: Database, transaction_id: UUID, purpose: str, amount_minor: int
) -> str:
    """Send what nobody here has ordered, and put on record that it has no place; return its reference."""
    recipient = await world.tools.gateway.create_recipient(
        NewRecipient(
            type="mobile_money", name="s", account_number="0712345678", bank_code="MPESA", currency=Currency.KES
        )
    )
    wanted = NewTransfer(
        reference=derive_reference("po", transaction_id, purpose, 1),
        recipient_code=recipient.recipient_code,
        amount=Money(amount_minor, Currency.KES),
        reason="escrow",
    )
    transfer = await world.tools.gateway.initiate_transfer(wanted)
    await discover(world.tools, Found(transfer, transaction_id, Place.NONE))
    fold(database)
    return transfer.reference
