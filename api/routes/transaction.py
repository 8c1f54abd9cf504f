"""A transaction from opening to the end, as its parties see it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import PlainTextResponse, Response

from api.bodies import (
    CancelBody,
    ConfirmBody,
    DisputeBody,
    ExtendBody,
    OpenBody,
    RedepositBody,
    RevealBody,
    SignBody,
    StatementBody,
)
from api.command import BuyingDesk, PartyDesk, RevealingDesk
from api.flows.access_statement import state_access
from api.flows.dispute import open_dispute
from api.flows.opening import open_transaction
from api.flows.payment import pay
from api.flows.redeposit import Handover, get_addendum, redeposit
from api.flows.reveal import reveal
from api.flows.signing import Signature, sign
from api.http.body import Nothing
from api.http.path import PathId
from api.reads.contract import AS_PDF, show_contract
from api.reads.lists import list_events, list_own_transactions
from api.reads.page import Page
from api.reads.reading import Reader, reading
from api.reads.spreadsheet import AS_CSV
from api.reads.statement import show_own_statement
from api.strict_route import StrictRoute
from api.views.event import EventView
from api.views.payment import PaymentPageView
from api.views.reveal import RevealView
from api.views.row import TransactionItem
from api.views.statement import StatementView
from api.views.transaction import TransactionView
from domain.transaction import Transaction
from domain.transaction.commands import (
    AcknowledgeReveal,
    CancelTransaction,
    ConfirmAccess,
    ExtendInspection,
    MissReveal,
    WithdrawDispute,
)

router = APIRouter(prefix="/api/v1/transactions", tags=["transactions"], route_class=StrictRoute)

PlainReader = Annotated[Reader, Depends(reading())]
OneReader = Annotated[Reader, Depends(reading("as_of"))]
ListReader = Annotated[Reader, Depends(reading("state", "limit", "cursor"))]
EventReader = Annotated[Reader, Depends(reading("limit", "cursor"))]
StatementReader = Annotated[Reader, Depends(reading("since", "until", "limit", "cursor"))]

NO_REASON = "no reason given"


@router.post("/{transaction_id}/confirm-access", response_model=TransactionView)
async def post_confirm_access(transaction_id: PathId, desk: PartyDesk, body: ConfirmBody | None = None) -> Response:
    """Confirm that the credentials work and pay the seller."""
    statements = body.statements if body else ()
    return await desk.execute(transaction_id, ConfirmAccess(statements=statements), TransactionView.of)


@router.post("", status_code=201, response_model=TransactionView)
async def post_transaction(body: OpenBody, desk: BuyingDesk) -> Response:
    """Open a transaction: the listing is reserved for you, price and terms are fixed."""
    return await open_transaction(desk, body.listing_id)


@router.get("", response_model=Page[TransactionItem])
async def get_transactions(reader: ListReader) -> Page[TransactionItem]:
    """List your own transactions, newest first."""
    return await list_own_transactions(reader)


@router.get("/{transaction_id}", response_model=TransactionView)
async def get_transaction(transaction_id: PathId, reader: OneReader) -> Response:
    """Show a transaction as it is, or was at `as_of`."""
    transaction = await reader.get(Transaction, transaction_id)
    return reader.show(transaction, TransactionView.at(transaction, reader.actor, reader.now))


@router.get("/{transaction_id}/events", response_model=Page[EventView])
async def get_events(transaction_id: PathId, reader: EventReader) -> Page[EventView]:
    """List what happened to a transaction, oldest first; parties are not shown what is among staff."""
    await reader.get(Transaction, transaction_id)
    return await list_events(reader, transaction_id)


@router.get("/{transaction_id}/statement", response_model=StatementView, responses=AS_CSV)
async def get_statement(transaction_id: PathId, request: Request, reader: StatementReader) -> Response:
    """Show your own money in a transaction: in pages, or whole with `Accept: text/csv`."""
    return await show_own_statement(request, reader, transaction_id)


@router.post("/{transaction_id}/pay", response_model=PaymentPageView)
async def post_pay(transaction_id: PathId, desk: PartyDesk, body: Nothing | None = None) -> Response:
    """Get the address of the payment page; asking again gives the same page while it is open."""
    return await pay(desk, transaction_id)


@router.get("/{transaction_id}/contract", response_class=PlainTextResponse, responses=AS_PDF)
async def get_contract(transaction_id: PathId, request: Request, reader: OneReader) -> Response:
    """Read the contract: exactly the bytes that `sha256` covers, or a PDF of them with `Accept: application/pdf`."""
    transaction = await reader.get(Transaction, transaction_id)
    return await show_contract(request, reader, transaction)


@router.post("/{transaction_id}/contract/sign", response_model=TransactionView)
async def post_sign(transaction_id: PathId, body: SignBody, desk: PartyDesk) -> Response:
    """Sign the contract; the seller's password hands the key of the credentials to the buyer."""
    signature = Signature(
        content_sha256=body.content_sha256,
        legal_name=body.legal_name,
        acknowledgements=body.acknowledgements,
        password=body.password,
    )
    result = await sign(desk, transaction_id, signature)
    return desk.answer(result, TransactionView.of(result.aggregate, desk.actor))


@router.post("/{transaction_id}/reveal", response_model=RevealView)
async def post_reveal(transaction_id: PathId, body: RevealBody, desk: RevealingDesk) -> Response:
    """Show the credentials, once; a retry with the same Idempotency-Key gets the same bytes."""
    showing = await reveal(desk, transaction_id, body.password, body.client_public_key)
    view = RevealView.of(showing.result.aggregate, sealed=showing.sealed, document=showing.document)
    response = desk.answer(showing.result, view)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/{transaction_id}/reveal/acknowledge", response_model=TransactionView)
async def post_acknowledge(transaction_id: PathId, desk: PartyDesk, body: Nothing | None = None) -> Response:
    """Say that you have read the credentials; nothing can open them from now on."""
    return await desk.execute(transaction_id, AcknowledgeReveal(), TransactionView.of)


@router.post("/{transaction_id}/reveal/missed", response_model=TransactionView)
async def post_missed(transaction_id: PathId, desk: PartyDesk, body: Nothing | None = None) -> Response:
    """Say, once, that the answer with the credentials was lost: the seller may deposit again, else you are refunded."""
    return await desk.execute(transaction_id, MissReveal(), TransactionView.of)


@router.get("/{transaction_id}/addendum", response_class=PlainTextResponse)
async def get_addendum_text(transaction_id: PathId, reader: PlainReader) -> Response:
    """Read what the seller signs to hand over a lost deposit once more."""
    transaction = await reader.get(Transaction, transaction_id)
    content = await get_addendum(reader.dependencies, transaction)
    return Response(content, 200, {"Cache-Control": "no-store"}, "text/plain; charset=utf-8")


@router.post("/{transaction_id}/redeposit", response_model=TransactionView)
async def post_redeposit(transaction_id: PathId, body: RedepositBody, desk: PartyDesk) -> Response:
    """Deposit and hand over once more what was lost on the way, and sign the addendum that says so."""
    wanted = Handover(
        content_sha256=body.content_sha256,
        legal_name=body.legal_name,
        password=body.password,
        credentials=body.credentials,
    )
    return await redeposit(desk, transaction_id, wanted)


@router.post("/{transaction_id}/cancel", response_model=TransactionView)
async def post_cancel(transaction_id: PathId, desk: PartyDesk, body: CancelBody | None = None) -> Response:
    """End a transaction: alone while nobody has paid, together once money is held, until the reveal."""
    reason = body.reason if body and body.reason else NO_REASON
    return await desk.execute(transaction_id, CancelTransaction(reason=reason), TransactionView.of)


@router.post("/{transaction_id}/disputes", status_code=201, response_model=TransactionView)
async def post_dispute(transaction_id: PathId, body: DisputeBody, desk: PartyDesk) -> Response:
    """Open a dispute; until it is decided no money moves."""
    result = await open_dispute(desk, transaction_id, body.category, body.statement)
    return desk.answer(result, TransactionView.of(result.aggregate, desk.actor), status=201)


@router.post("/{transaction_id}/disputes/{dispute_id}/withdraw", response_model=TransactionView)
async def post_withdraw(
    transaction_id: PathId, dispute_id: PathId, desk: PartyDesk, body: Nothing | None = None
) -> Response:
    """Take your own dispute back; deadlines go on where they stopped."""
    return await desk.execute(transaction_id, WithdrawDispute(dispute_id=dispute_id), TransactionView.of)


@router.post("/{transaction_id}/inspection/extend", response_model=TransactionView)
async def post_extend(transaction_id: PathId, body: ExtendBody, desk: PartyDesk) -> Response:
    """Give the buyer more time to look: the seller may, and staff."""
    command = ExtendInspection(seconds=body.seconds, reason=body.reason)
    return await desk.execute(transaction_id, command, TransactionView.of)


@router.post("/{transaction_id}/state-access", response_model=TransactionView)
async def post_state_access(transaction_id: PathId, body: StatementBody, desk: PartyDesk) -> Response:
    """State, as the buyer, that you have access although nothing was revealed here: staff may then release by force."""
    result = await state_access(desk, transaction_id, body.statement)
    return desk.answer(result, TransactionView.of(result.aggregate, desk.actor))
