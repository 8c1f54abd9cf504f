"""What staff do: find out why money is stuck, decide, and write down why."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.bodies import (
    AmountBody,
    NoteBody,
    OtpBody,
    ReasonBody,
    RefundAccountBody,
    RefundBody,
    ReleaseBody,
    ResendOtpBody,
    ResolveBody,
)
from api.command import DecidingDesk, RunbookDesk, StaffDesk
from api.flows.approval import answer_request, approve, decide, release
from api.flows.attention import order_otp, send_refund_to, type_otp
from api.flows.listing import show
from api.http.body import Nothing
from api.http.path import PathId
from api.policy import get_limit, get_refund_limit
from api.reads.lists import list_actions, list_alerts, list_all_transactions, list_approval_items
from api.reads.page import Page
from api.reads.reading import Reader, reading_as_staff
from api.strict_route import StrictRoute
from api.views.listing import ListingView
from api.views.row import ActionItem, AlertItem, ApprovalItem, TransactionItem
from api.views.transaction import TransactionView
from domain.listing.commands import ApproveListing, RejectListing, RemoveListing, RequestInfo
from domain.transaction import Transaction
from domain.transaction.dispute import Award
from domain.transaction.staff_commands import (
    AddNote,
    Compensate,
    EscalateDispute,
    ForceRefund,
    ForceRelease,
    OrderOtp,
    RecoverInCash,
    RejectApproval,
    ResolveDispute,
    TypeOtp,
    WriteOff,
)
from reactions.attention import BuyersAccount

router = APIRouter(prefix="/api/v1/admin", tags=["admin"], route_class=StrictRoute)

TransactionReader = Annotated[Reader, Depends(reading_as_staff("stuck", "state", "limit", "cursor"))]
ApprovalReader = Annotated[Reader, Depends(reading_as_staff("status", "limit", "cursor"))]
OneReader = Annotated[Reader, Depends(reading_as_staff("as_of"))]
ListReader = Annotated[Reader, Depends(reading_as_staff("limit", "cursor"))]


@router.get("/transactions", response_model=Page[TransactionItem])
async def get_transactions(reader: TransactionReader) -> Page[TransactionItem]:
    """List transactions, newest first; with `stuck=true` those whose money does not move."""
    return await list_all_transactions(reader)


@router.get("/transactions/{transaction_id}", response_model=TransactionView)
async def get_transaction(transaction_id: PathId, reader: OneReader) -> Response:
    """Show a transaction, and what you could do about it now."""
    transaction = await reader.get(Transaction, transaction_id)
    return reader.show(transaction, TransactionView.at(transaction, reader.actor, reader.now))


@router.post("/transactions/{transaction_id}/release", response_model=TransactionView)
async def post_release(transaction_id: PathId, body: ReleaseBody, desk: RunbookDesk) -> Response:
    """Release what is held, or pay out again after a failure; 202 when a second super_admin has to agree."""
    limit = await get_limit(desk.dependencies)
    command = ForceRelease(reason=body.reason, purpose=body.purpose, recipient=body.recipient, limit_usd_cents=limit)
    return await release(desk, transaction_id, command)


@router.post("/transactions/{transaction_id}/refund", response_model=TransactionView)
async def post_refund(transaction_id: PathId, body: RefundBody, desk: RunbookDesk) -> Response:
    """Refund all, or a part; 202 when a second super_admin has to agree."""
    limit = await get_refund_limit(desk.dependencies)
    command = ForceRefund(reason=body.reason, amount_minor=body.amount_minor, limit_usd_cents=limit)
    return await decide(desk, transaction_id, command)


@router.post("/transactions/{transaction_id}/payout/finalize", response_model=TransactionView)
async def post_finalize(transaction_id: PathId, body: OtpBody, desk: DecidingDesk) -> Response:
    """Type the one-time password that Paystack wants for a payout; it goes to Paystack and into no log."""
    return await type_otp(desk, transaction_id, TypeOtp(reference=body.reference, reason=body.reason), body.otp)


@router.post("/transactions/{transaction_id}/payout/resend-otp", response_model=TransactionView)
async def post_resend_otp(transaction_id: PathId, body: ResendOtpBody, desk: StaffDesk) -> Response:
    """Have Paystack send the one-time password again."""
    return await order_otp(desk, transaction_id, OrderOtp(reference=body.reference))


@router.post("/transactions/{transaction_id}/refund/account", response_model=TransactionView)
async def post_refund_account(transaction_id: PathId, body: RefundAccountBody, desk: DecidingDesk) -> Response:
    """Say where a refund is to go that needs attention: Paystack gets the account, the log only a salted hash of it."""
    account = BuyersAccount(account_number=body.account_number, bank_code=body.bank_code)
    return await send_refund_to(desk, transaction_id, body.reference, body.reason, account)


@router.post("/transactions/{transaction_id}/compensation", response_model=TransactionView)
async def post_compensation(transaction_id: PathId, body: AmountBody, desk: DecidingDesk) -> Response:
    """Pay the buyer something besides his refund, after the platform was found at fault; 202 as for a refund."""
    limit = await get_limit(desk.dependencies)
    command = Compensate(amount_minor=body.amount_minor, reason=body.reason, limit_usd_cents=limit)
    return await decide(desk, transaction_id, command)


@router.post("/transactions/{transaction_id}/recovery", response_model=TransactionView)
async def post_recovery(transaction_id: PathId, body: AmountBody, desk: DecidingDesk) -> Response:
    """Record that the seller has paid back what he owes, or a part, into Paystack's balance."""
    command = RecoverInCash(amount_minor=body.amount_minor, reason=body.reason)
    return await desk.execute(transaction_id, command, TransactionView.of)


@router.post("/transactions/{transaction_id}/write-off", response_model=TransactionView)
async def post_write_off(transaction_id: PathId, body: AmountBody, desk: DecidingDesk) -> Response:
    """Give up what the seller owes, or a part: it is the platform's loss."""
    command = WriteOff(amount_minor=body.amount_minor, reason=body.reason)
    return await desk.execute(transaction_id, command, TransactionView.of)


@router.post("/transactions/{transaction_id}/notes", status_code=201, response_model=TransactionView)
async def post_note(transaction_id: PathId, body: NoteBody, desk: StaffDesk) -> Response:
    """Write down what was done and why."""
    return await desk.execute(transaction_id, AddNote(text=body.text), TransactionView.of, status=201)


@router.post("/transactions/{transaction_id}/disputes/{dispute_id}/escalate", response_model=TransactionView)
async def post_escalate(transaction_id: PathId, dispute_id: PathId, body: ReasonBody, desk: StaffDesk) -> Response:
    """Hand the decision to a super_admin."""
    command = EscalateDispute(dispute_id=dispute_id, reason=body.reason)
    return await desk.execute(transaction_id, command, TransactionView.of)


@router.post("/transactions/{transaction_id}/disputes/{dispute_id}/resolve", response_model=TransactionView)
async def post_resolve(transaction_id: PathId, dispute_id: PathId, body: ResolveBody, desk: DecidingDesk) -> Response:
    """Decide a dispute; the money follows. 202 when a second super_admin has to agree."""
    award = Award(
        finding=body.finding,
        reason=body.reason,
        to_buyer_minor=body.to_buyer_minor,
        to_seller_minor=body.to_seller_minor,
        compensation_minor=body.compensation_minor,
    )
    command = ResolveDispute(dispute_id=dispute_id, award=award, limit_usd_cents=await get_limit(desk.dependencies))
    return await decide(desk, transaction_id, command)


@router.get("/approvals", response_model=Page[ApprovalItem])
async def get_approvals(reader: ApprovalReader) -> Page[ApprovalItem]:
    """List decisions that wait, or waited, for a second super_admin, newest first."""
    return await list_approval_items(reader)


@router.post("/approvals/{approval_id}/approve", response_model=TransactionView)
async def post_approve(approval_id: PathId, desk: DecidingDesk, body: Nothing | None = None) -> Response:
    """Agree with somebody else's decision; it is carried out at once."""
    return await approve(desk, approval_id)


@router.post("/approvals/{approval_id}/reject", response_model=TransactionView)
async def post_reject(approval_id: PathId, body: ReasonBody, desk: StaffDesk) -> Response:
    """Disagree with a decision; nothing happens."""
    return await answer_request(desk, approval_id, RejectApproval(approval_id=approval_id, reason=body.reason))


@router.post("/listings/{listing_id}/approve", response_model=ListingView)
async def post_approve_listing(listing_id: PathId, desk: StaffDesk, body: Nothing | None = None) -> Response:
    """Let a listing be sold."""
    return await show(desk, await desk.run(listing_id, ApproveListing()))


@router.post("/listings/{listing_id}/reject", response_model=ListingView)
async def post_reject_listing(listing_id: PathId, body: ReasonBody, desk: StaffDesk) -> Response:
    """Refuse a listing and say why."""
    return await show(desk, await desk.run(listing_id, RejectListing(reason=body.reason)))


@router.post("/listings/{listing_id}/request-info", response_model=ListingView)
async def post_request_info(listing_id: PathId, body: ReasonBody, desk: StaffDesk) -> Response:
    """Ask the seller for more before you decide; he answers by changing the listing and submitting it again."""
    return await show(desk, await desk.run(listing_id, RequestInfo(reason=body.reason)))


@router.post("/listings/{listing_id}/remove", response_model=ListingView)
async def post_remove_listing(listing_id: PathId, body: ReasonBody, desk: StaffDesk) -> Response:
    """Take a listing away for good."""
    return await show(desk, await desk.run(listing_id, RemoveListing(reason=body.reason)))


@router.get("/actions", response_model=Page[ActionItem])
async def get_actions(reader: ListReader) -> Page[ActionItem]:
    """List what staff did, newest first."""
    return await list_actions(reader)


@router.get("/alerts", response_model=Page[AlertItem])
async def get_alerts(reader: ListReader) -> Page[AlertItem]:
    """List what somebody has to look at, newest first."""
    return await list_alerts(reader)
