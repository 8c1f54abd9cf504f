"""Charges: confirmed by a GET before any money is recorded; what was never asked for goes back."""

from functools import partial

from domain.money import MAX_AMOUNT_MINOR, parse_charged_currency
from domain.transaction import Transaction
from domain.transaction.payment import ConfirmedCharge
from domain.transaction.system_commands import RecordCharge, ReturnReceipts
from gateways.errors import AmountOutOfRange, UnknownReference, WrongMode
from gateways.payment import Charge, ChargeStatus, Mode
from reactions.question import ask_each
from reactions.toolbox import Toolbox, order

NAME = "payments"
PAID = frozenset({ChargeStatus.SUCCESS, ChargeStatus.REVERSAL_PENDING, ChargeStatus.REVERSED})
"""What has gone back, or is going, had come before: a chargeback can be faster than whoever asks."""


async def follow_payment(tools: Toolbox, transaction: Transaction) -> bool:
    """Ask what became of the charge that is awaited, and send back what was never asked for."""
    if transaction.returnable_receipts:
        await order(tools, NAME, transaction, ReturnReceipts())
        return True
    reference = transaction.awaited_charge
    if reference is None:
        return False
    return await ask_each(tools, transaction, {reference: partial(confirm_charge, tools, transaction, reference)})


async def confirm_charge(tools: Toolbox, transaction: Transaction, reference: str) -> bool:
    """Ask the processor for a charge and record it when it succeeded; True when that changed the transaction."""
    try:
        charge = await tools.gateway.verify_charge(reference)
    except UnknownReference:
        return False
    if charge.status not in PAID:
        return False
    result = await order(tools, NAME, transaction, RecordCharge(charge=confirmed_of(tools, charge)))
    return result.aggregate.version != transaction.version


def confirmed_of(tools: Toolbox, charge: Charge) -> ConfirmedCharge:
    """Return what a GET said of a charge, as the log records it.

    Raises `WrongMode` for one of the other mode, and `AmountOutOfRange` for what no journal can hold.
    """
    _require_mode(tools.gateway.mode, charge.mode)
    if max(charge.amount_minor, charge.fee_minor or 0) > MAX_AMOUNT_MINOR:
        raise AmountOutOfRange(f"charge {charge.reference}: {charge.amount_minor}, fee {charge.fee_minor}")
    return ConfirmedCharge(
        reference=charge.reference,
        processor_id=str(charge.processor_id),
        amount_minor=charge.amount_minor,
        requested_minor=charge.requested_minor,
        currency=parse_charged_currency(charge.currency),
        fee_minor=charge.fee_minor,
        channel=charge.channel or "unknown",
        paid_at=charge.paid_at or charge.created_at or tools.clock(),
        verified_by="verify",
    )


def _require_mode(expected: Mode, got: Mode | None) -> None:
    if got is not None and got is not expected:
        raise WrongMode
