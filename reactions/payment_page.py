"""The page where the buyer pays: the intent in the log first, then one question to the processor, however many ask."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from database.queries import load
from domain.errors import EscrowError, Refused, StillRunning
from domain.transaction import Transaction
from domain.transaction.commands import RequestPayment
from domain.transaction.system_commands import RecordPaymentLink, RecordPaymentRefused
from eventstore.escrow import Request, Result
from gateways.errors import DuplicateReference, GatewayRefused
from gateways.payment import ChargeLink, NewCharge
from identity.user import get_user
from reactions.payment import NAME
from reactions.toolbox import Toolbox, order

SQL = load("reactions", "payment_page.sql")
REFERENCES = 3
"""So many are tried for one request: the first may have been used up by somebody who died, or be replaced meanwhile."""
TURN = timedelta(seconds=90)
"""Longer than one exchange with the processor can last: whoever has died holds the others up for no longer."""
PATIENCE_SECONDS = 5.0
PAUSE_SECONDS = 0.1


class PaymentLinkLost(Refused):
    """The payment page was replaced while it was being opened; ask for it again."""

    code = "payment_link_lost"


class PaymentPageOpening(EscrowError):
    """Another request is opening this payment page; ask again in a moment, and you get the same one."""

    code = "payment_page_opening"
    status = 409


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

    Raises what `Transaction.check_pay` raises, PaymentPageOpening, and the processor's errors; the intent then stays
    and is tried again.
    """
    result = await tools.escrow.execute(transaction_id, RequestPayment(), request)
    for _ in range(REFERENCES):
        reference = (await tools.escrow.get(Transaction, transaction_id)).payment_reference
        address = None if reference is None else await _open_page(tools, transaction_id, reference)
        if reference is not None and address is not None:
            return PaymentPage(result=result, reference=reference, authorization_url=address)
    raise PaymentLinkLost


async def remember_page(tools: Toolbox, transaction_id: UUID, reference: str) -> None:
    """Note whose page a reference stands for: webhooks name nothing else."""
    async with tools.pool.connection() as connection:
        facts = {"reference": reference, "transaction_id": transaction_id, "at": tools.clock()}
        await connection.execute(SQL.plan_link, facts)


async def _open_page(tools: Toolbox, transaction_id: UUID, reference: str) -> str | None:
    """Return the address of the page under a reference, or None when another reference has taken its place."""
    await remember_page(tools, transaction_id, reference)
    async with _turn(tools, reference) as known:
        address = known if known is not None else await _ask(tools, transaction_id, reference)
    if address is not None:
        await _record_page(tools, transaction_id, reference, address)
    return address


@asynccontextmanager
async def _turn(tools: Toolbox, reference: str) -> AsyncGenerator[str | None]:
    """Wait until nobody is opening the page; give its address, or None to the one whose turn it is to open it.

    The turn is a row and no lock: to ask the processor can take a minute, and no connection is held for that long.
    """
    until = tools.clock() + TURN
    address = await _wait(tools, reference, until)
    if address is not None:
        yield address
        return
    try:
        yield None
    finally:
        async with tools.pool.connection() as connection:
            await connection.execute(SQL.end_turn, {"reference": reference, "until": until})


async def _wait(tools: Toolbox, reference: str, until: datetime) -> str | None:
    for _ in range(int(PATIENCE_SECONDS / PAUSE_SECONDS)):
        async with tools.pool.connection() as connection:
            facts = {"reference": reference, "until": until, "at": tools.clock()}
            if await (await connection.execute(SQL.take_turn, facts)).fetchone() is not None:
                return None
            row = await (await connection.execute(SQL.find_link, (reference,))).fetchone()
        if row is not None and row[0] is not None:
            return str(row[0])
        await asyncio.sleep(PAUSE_SECONDS)
    raise PaymentPageOpening(retry_after_seconds=int(PATIENCE_SECONDS))


async def _ask(tools: Toolbox, transaction_id: UUID, reference: str) -> str | None:
    """Have the processor open the page, when it is this one's turn; None when the reference has no page to give."""
    transaction = await tools.escrow.get(Transaction, transaction_id)
    if transaction.payment_reference != reference:
        return None  # replaced while this one waited
    try:
        link = await _initialize(tools, transaction, reference)
    except DuplicateReference as error:
        # Its page is shown once, and whoever asked before is over and has kept none: nobody was ever sent there. Should
        # a charge come under it all the same, it is taken: the log knows every reference that it has asked under.
        await _record_refusal(tools, transaction, reference, error)
        await order(tools, NAME, await tools.escrow.get(Transaction, transaction_id), RequestPayment())
        return None
    except GatewayRefused as error:
        await _record_refusal(tools, transaction, reference, error)
        raise
    async with tools.pool.connection() as connection:
        facts = {"reference": reference, "authorization_url": link.authorization_url}
        await connection.execute(SQL.keep_link, facts)
    return link.authorization_url


async def _record_refusal(
    tools: Toolbox, transaction: Transaction, reference: str, error: DuplicateReference | GatewayRefused
) -> None:
    await order(tools, NAME, transaction, RecordPaymentRefused(reference=reference, reason=error.code))


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


async def _record_page(tools: Toolbox, transaction_id: UUID, reference: str, address: str) -> None:
    digest = hashlib.sha256(address.encode()).hexdigest()
    command = RecordPaymentLink(reference=reference, authorization_url_sha256=digest)
    # Two requests for the page at once both come here: that the other one is recording it is as good as done.
    with suppress(StillRunning):
        await order(tools, NAME, await tools.escrow.get(Transaction, transaction_id), command)
