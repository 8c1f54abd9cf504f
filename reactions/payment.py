"""Payments: the page where the buyer pays, and charges confirmed by a GET before any money is recorded."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from database.queries import load
from domain.errors import Refused, StillRunning
from domain.money import parse_charged_currency
from domain.transaction import Transaction
from domain.transaction.commands import RequestPayment
from domain.transaction.payment import ConfirmedCharge
from domain.transaction.system_commands import RecordCharge, RecordPaymentLink, RecordPaymentRefused, ReturnReceipts
from eventstore.escrow import Request, Result
from gateways.errors import DuplicateReference, GatewayRefused, UnknownReference, WrongMode
from gateways.payment import Charge, ChargeLink, ChargeStatus, Mode, NewCharge
from identity.user import get_user
from reactions.question import ask_each
from reactions.toolbox import Toolbox, order

SQL = load("reactions", "payment.sql")
NAME = "payments"
PAID = frozenset({ChargeStatus.SUCCESS, ChargeStatus.REVERSAL_PENDING, ChargeStatus.REVERSED})
"""What has gone back, or is going, had come before: a chargeback can be faster than whoever asks."""


class PaymentLinkLost(Refused):
    """The payment page was replaced while it was being opened; ask for it again."""

    code = "payment_link_lost"


class BuyerErased(Refused):
    """The buyer's e-mail address was erased, so no payment page can be opened."""

    code = "buyer_erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPage:
    """Where the buyer pays; the address is a bearer secret and stays out of `repr`."""

    result: Result[Transaction]
    reference: str
    authorization_url: str = field(repr=False)


async def request_page(tools: Toolbox, transaction_id: UUID, request: Request) -> PaymentPage:
    """Record the intent, open the page at the processor, and return its address; a repeat returns the same page.

    Raises what `Transaction.check_pay` raises, and the processor's errors; the intent then stays and is tried again.
    """
    result = await tools.escrow.execute(transaction_id, RequestPayment(), request)
    transaction = await tools.escrow.get(Transaction, transaction_id)
    address = await _open_page(tools, transaction)
    if address is None:
        # The processor has met this reference before and will not show its page again: the next attempt gets a new one.
        transaction = (await order(tools, NAME, transaction, RequestPayment())).aggregate
        address = await _open_page(tools, transaction)
    if address is None or transaction.payment_reference is None:
        raise PaymentLinkLost
    return PaymentPage(result=result, reference=transaction.payment_reference, authorization_url=address)


async def _open_page(tools: Toolbox, transaction: Transaction) -> str | None:
    """Return the address of the page under the present reference, or None when that reference is used up."""
    reference = transaction.payment_reference
    if reference is None:
        return None
    known = await _plan(tools, transaction.id, reference)
    if known is not None:
        await _record_page(tools, transaction, reference, known)
        return known
    try:
        link = await _initialize(tools, transaction, reference)
    except (DuplicateReference, GatewayRefused) as error:
        await order(tools, NAME, transaction, RecordPaymentRefused(reference=reference, reason=error.code))
        if isinstance(error, GatewayRefused):
            raise
        return None
    async with tools.pool.connection() as connection:
        facts = {"reference": reference, "authorization_url": link.authorization_url}
        await connection.execute(SQL.keep_link, facts)
    await _record_page(tools, transaction, reference, link.authorization_url)
    return link.authorization_url


async def _plan(tools: Toolbox, transaction_id: UUID, reference: str) -> str | None:
    await remember_page(tools, transaction_id, reference)
    async with tools.pool.connection() as connection:
        row = await (await connection.execute(SQL.find_link, (reference,))).fetchone()
    address: str | None = row[0] if row else None
    return address


async def remember_page(tools: Toolbox, transaction_id: UUID, reference: str) -> None:
    """Note whose page a reference stands for: webhooks name nothing else."""
    async with tools.pool.connection() as connection:
        facts = {"reference": reference, "transaction_id": transaction_id, "at": tools.clock()}
        await connection.execute(SQL.plan_link, facts)


async def _initialize(tools: Toolbox, transaction: Transaction, reference: str) -> ChargeLink:
    async with tools.pool.connection() as connection:
        buyer = await get_user(connection, transaction.buyer_id)
    if buyer.email is None:
        raise BuyerErased
    return await tools.gateway.initialize(
        NewCharge(
            reference=reference,
            amount=transaction.price,
            email=buyer.email,
            metadata={"transaction_id": str(transaction.id)},
        )
    )


async def _record_page(tools: Toolbox, transaction: Transaction, reference: str, address: str) -> None:
    digest = hashlib.sha256(address.encode()).hexdigest()
    command = RecordPaymentLink(reference=reference, authorization_url_sha256=digest)
    # Two requests for the page at once both come here: that the other one is recording it is as good as done.
    with suppress(StillRunning):
        await order(tools, NAME, transaction, command)


async def follow_payment(tools: Toolbox, transaction: Transaction) -> bool:
    """Ask what became of the charge that is awaited, and send back what was never asked for."""
    if transaction.suspense:
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
    """Return what a GET said of a charge, as the log records it; raise `WrongMode` for one of the other mode."""
    _require_mode(tools.gateway.mode, charge.mode)
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
