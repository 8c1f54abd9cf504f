"""Paying: the intent in the log first, then the page at the processor; a repeat gets the same page."""

from uuid import UUID

from starlette.responses import Response

from api.command import Desk
from api.views.payment import PaymentPageView
from api.views.transaction import TransactionView
from domain.transaction import Transaction
from domain.transaction.commands import RequestPayment
from reactions.payment_page import request_page
from reactions.toolbox import Toolbox


async def pay(desk: Desk, transaction_id: UUID) -> Response:
    """Ask for the payment page. Raises what `Transaction.check_pay` raises, and the processor's errors."""
    if desk.is_dry:
        rehearsed = await desk.run(transaction_id, RequestPayment())
        view = TransactionView.of(rehearsed.aggregate, desk.actor)
        return desk.answer(rehearsed, PaymentPageView(reference=None, authorization_url=None, transaction=view))
    await desk.require_version(Transaction, transaction_id)
    page = await request_page(toolbox_of(desk), transaction_id, desk.request)
    view = TransactionView.of(page.result.aggregate, desk.actor)
    body = PaymentPageView(reference=page.reference, authorization_url=page.authorization_url, transaction=view)
    response = desk.answer(page.result, body)
    response.headers["Cache-Control"] = "no-store"
    return response


def toolbox_of(desk: Desk) -> Toolbox:
    """Return what reactions work with: here too money is sent only while the log is the one that was acted upon."""
    dependencies = desk.dependencies
    return Toolbox(
        escrow=dependencies.escrow,
        pool=dependencies.pool,
        gateway=dependencies.gateway,
        clock=dependencies.clock,
        permit=dependencies.permit,
    )
