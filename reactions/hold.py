"""What holds a transaction back: the processor has a payment of it for which the restored log has no place yet.

Nothing is sent for it meanwhile, and no deadline decides. As soon as a person's decision has made the place (a dispute
resolved the way that the money went), or the pause after a failed payout is over, the payment is taken up, and the
transaction goes on.
"""

from functools import partial
from uuid import UUID

import structlog

from domain.actor import Actor, reaction
from domain.errors import NotFound, Refused
from domain.restore import (
    DiscoverExternalPayment,
    ExternalPayment,
    PaymentKind,
    SettleExternalPayment,
    external_payment_id,
)
from domain.transaction.system_commands import BeginHold, EndHold
from eventstore.escrow import Escrow, Request
from eventstore.transcoder import Undecodable
from gateways.chargeback import Chargeback
from gateways.payment import Charge, Refund, Transfer
from projections.external_payment import ExternalPaymentRow, list_open_payments
from reactions.question import ask_first
from reactions.recovery import NAME, Found, Place, take_charge, take_chargebacks, take_refund, take_transfer
from reactions.toolbox import Toolbox, find_readable, record, request_of

IN_THE_LOG = "the log knows this payment now"
SETTLED = {
    Place.KNOWN: IN_THE_LOG,
    Place.TAKEN: IN_THE_LOG,
    Place.UNPAID: "it was never paid, or was taken back",
}
"""What the log says of why a payment holds nothing back any more."""

logger = structlog.get_logger("reactions")


class HeldBack(Refused):
    """The processor has a payment of this transaction that the log has no place for; a person decides about it first,
    and only then is anything else asked.
    """

    code = "held_back"


async def is_held_back(tools: Toolbox, transaction_id: UUID) -> bool:
    """Try to take up what is open, and say whether something of it has no place still.

    Raises the processor's errors: nobody knows then. Staff are told of a refusal that lasts.
    """
    waits = False
    for row in await update_holds(tools, transaction_id):
        place = await _find_place(tools, transaction_id, row)
        if place is Place.NONE:
            waits = True
        else:
            await settle(tools.escrow, row, SETTLED[place], reaction(NAME))
    return waits


async def update_holds(tools: Toolbox, transaction_id: UUID) -> list[ExternalPaymentRow]:
    """Let a transaction say what holds it back, and what does no more, where it can be read; return what does."""
    rows = await _list_open(tools, transaction_id)
    transaction = await find_readable(tools.escrow, transaction_id)
    if transaction is None:
        return rows
    said = list(transaction.held_back_by)
    for row in rows:
        if row.id not in said:
            begun = BeginHold(external_payment_id=row.id, kind=PaymentKind(row.kind), reference=row.reference)
            await record(tools, NAME, transaction_id, begun)
    for held_by in said:
        if await _is_settled(tools.escrow, held_by):
            await _end_hold(tools.escrow, transaction_id, held_by)
    return rows


async def _list_open(tools: Toolbox, transaction_id: UUID) -> list[ExternalPaymentRow]:
    """The table may be late: what is settled in the log must not be said again, which would go on until it is not."""
    rows = await list_open_payments(tools.pool, transaction_id)
    return [row for row in rows if not await _is_settled(tools.escrow, row.id)]


async def _is_settled(escrow: Escrow, payment_id: UUID) -> bool:
    """What cannot be read holds its transaction back, and no other."""
    try:
        return (await escrow.get(ExternalPayment, payment_id)).is_settled
    except (NotFound, Undecodable):
        return False


async def _end_hold(escrow: Escrow, transaction_id: UUID, payment_id: UUID) -> None:
    transaction = await find_readable(escrow, transaction_id)
    if transaction is not None:
        ended = EndHold(external_payment_id=payment_id)
        await escrow.execute(transaction_id, ended, request_of(NAME, transaction_id, transaction.version, ended))


async def _find_place(tools: Toolbox, transaction_id: UUID, row: ExternalPaymentRow) -> Place:
    take = partial(_take, tools, transaction_id, row)
    transaction = await find_readable(tools.escrow, transaction_id)
    return await take() if transaction is None else await ask_first(tools, transaction, row.reference, take)


async def _take(tools: Toolbox, transaction_id: UUID, row: ExternalPaymentRow) -> Place:
    match PaymentKind(row.kind):
        case PaymentKind.CHARGE:
            return await take_charge(tools, transaction_id, await tools.gateway.verify_charge(row.reference))
        case PaymentKind.TRANSFER:
            return await take_transfer(tools, transaction_id, await tools.gateway.verify_transfer(row.reference))
        case PaymentKind.REFUND:
            refund = await tools.gateway.fetch_refund(int(row.processor_id or 0))
            return await take_refund(tools, transaction_id, refund)
        case PaymentKind.CHARGEBACK:
            return await take_chargebacks(tools, transaction_id, row.reference)


async def discover(tools: Toolbox, found: Found) -> None:
    """Put on record that the log has no place for a payment; once, however often it is found."""
    payment = found.payment
    kind, reference, amount_minor = _describe(payment)
    command = DiscoverExternalPayment(
        kind=kind,
        reference=reference,
        processor_id=None if payment.processor_id is None else str(payment.processor_id),
        transaction_id=found.transaction_id,
        currency=payment.currency or "",
        amount_minor=amount_minor,
        status=payment.status.value,
    )
    stream_id = external_payment_id(kind, command.processor_id or reference)
    await tools.escrow.execute(stream_id, command, Request.keyed(reaction(NAME), f"discover:{stream_id}"))
    logger.error("external_payment_discovered", transaction_id=str(found.transaction_id), reference=reference)


def _describe(payment: Charge | Transfer | Refund | Chargeback) -> tuple[PaymentKind, str, int]:
    """Return what it is, by which name it is asked about, and how much it is."""
    match payment:
        case Charge():
            return PaymentKind.CHARGE, payment.reference, payment.amount_minor
        case Transfer():
            return PaymentKind.TRANSFER, payment.reference, payment.amount_minor
        case Refund():
            return PaymentKind.REFUND, payment.merchant_note or "", payment.amount_minor
        case Chargeback():
            return PaymentKind.CHARGEBACK, payment.charge_reference or "", payment.refund_minor


async def settle(escrow: Escrow, payment: ExternalPaymentRow, reason: str, by: Actor) -> None:
    """Let the transaction go on, and then say so: the other way round, whoever hears of it would hold it back again.

    After a crash in between, the next look at the transaction says it.
    """
    command = SettleExternalPayment(reason=reason)
    await escrow.execute(payment.id, command, Request.keyed(by, f"settle:{payment.id}:{by.id}"))
    if payment.transaction_id is not None:
        await _end_hold(escrow, payment.transaction_id, payment.id)
