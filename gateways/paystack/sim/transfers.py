"""Transfers at the stand-in. The amount and the fee leave the balance when a transfer is created."""

import re
from collections.abc import Sequence

from gateways.paystack.payload import text
from gateways.paystack.sim import faults
from gateways.paystack.sim.calls import (
    Answer,
    Call,
    Refusal,
    good,
    not_found,
    require_amount,
    require_currency,
    require_text,
)
from gateways.paystack.sim.clock import brief
from gateways.paystack.sim.integration import needs_otp
from gateways.paystack.sim.pages import fits, page
from gateways.paystack.sim.recipients import view as recipient_view
from gateways.paystack.sim.records import RecipientRecord, TransferRecord
from gateways.paystack.sim.state import INTEGRATION, TRANSFER_CURRENCIES, Sim

APPROVAL_EVENT = "transferrequest.approval-required"
OPEN = frozenset({"pending", "received", "otp"})
UNPAID = frozenset({"failed", "abandoned", "blocked", "rejected"})
OTP_SECONDS = 30 * 60.0
DEFAULT_DELAY_SECONDS = 60.0
_REFERENCE = re.compile(r"[a-z0-9_-]{16,50}")
_OTP = re.compile(r"[0-9]{6}")
_OTP_REASONS = ("disable_otp", "resend_otp", "transfer")
_FATES = {"fail": "failed", "abandoned": "abandoned", "blocked": "blocked", "rejected": "rejected"}


def initiate(sim: Sim, call: Call) -> Answer:
    """POST /transfer: in test mode it answers success at once, as Paystack does, unless approval is asked for."""
    transfer = new_transfer(sim, call)
    require_funds(sim, [transfer])
    create(sim, transfer)
    if sim.behaviour.approval_url is None:
        _begin(sim, transfer)
    else:
        _set(sim, transfer, "received")
        sim.later(0.0, "approval", transfer.reference)
    message = "Transfer requires OTP to continue" if transfer.status == "otp" else "Transfer has been queued"
    return good(message, brief_view(sim, transfer))


def new_transfer(sim: Sim, call: Call) -> TransferRecord:
    """The transfer that a call asks for, and what a fault has in store for it; raise `Refusal`. Nothing moves yet."""
    transfer = _read_transfer(sim, call)
    fault = sim.faults.take({"transfer"}, call.facts, faults.TRANSFER)
    if fault is None and needs_otp(sim):
        transfer.fate = "otp"
    if fault is not None:
        transfer.fate, transfer.fate_seconds = fault.kind, fault.delay_seconds
    return transfer


def require_funds(sim: Sim, wanted: Sequence[TransferRecord]) -> None:
    """Refuse what the balance does not cover together with the fees, or what a fault refuses."""
    needed_minor = sum(transfer.amount_minor + transfer.fee_minor for transfer in wanted)
    refused = any(transfer.fate == "insufficient_balance" for transfer in wanted)
    if refused or any(sim.held_minor("balance", transfer.currency) < needed_minor for transfer in wanted):
        message = "Your balance is not enough to fulfil this request"
        raise Refusal(message, "insufficient_balance", "api_error", next_step="Top up your balance.")


def create(sim: Sim, transfer: TransferRecord) -> None:
    """Take the amount and the fee out of the balance."""
    sim.move("transfer", "balance", transfer.currency, -transfer.amount_minor, transfer.reference, transfer.id)
    sim.move("transfer_fee", "balance", transfer.currency, -transfer.fee_minor, transfer.reference, transfer.id)
    sim.store.transfers.put(transfer.reference, transfer)


def decide(sim: Sim, reference: str, verdict: str) -> None:
    """Go on with a transfer that was received: the merchant has approved it, rejected it or not answered."""
    transfer = sim.store.transfers.get(reference)
    if transfer is None or transfer.status != "received":
        return
    if verdict == "approved":
        _set(sim, transfer, "pending")
        _begin(sim, transfer)
    else:
        move(sim, transfer, verdict)


def verify(sim: Sim, call: Call) -> Answer:
    """GET /transfer/verify/{reference}: 404 while it is still being validated."""
    transfer = sim.store.transfers.get(call.path["reference"])
    if transfer is None or transfer.visible_at > sim.clock.text():
        raise not_found("Transfer not found", "transfer_not_found")
    return good("Transfer retrieved", view(sim, transfer))


def fetch(sim: Sim, call: Call) -> Answer:
    """GET /transfer/{code or id}."""
    wanted = call.path["code"]
    found = (known for known in sim.store.transfers.all() if wanted in (known.transfer_code, str(known.id)))
    transfer = next(found, None)
    if transfer is None:
        raise not_found("Transfer not found", "transfer_not_found")
    return good("Transfer retrieved", view(sim, transfer))


def list_transfers(sim: Sim, call: Call) -> Answer:
    """GET /transfer, filtered by status, recipient (its number), amount, currency, from and to."""
    return page(call, "Transfers retrieved", [view(sim, transfer) for transfer in _wanted(sim, call)])


def finalize(sim: Sim, call: Call) -> Answer:
    """POST /transfer/finalize_transfer: any six digits will do."""
    transfer = _require_waiting_for_otp(sim, call)
    if not _OTP.fullmatch(text(call.body, "otp") or ""):
        raise Refusal("Invalid OTP", "invalid_otp")
    move(sim, transfer, "success")
    return good("Transfer has been queued", brief_view(sim, transfer))


def resend_otp(sim: Sim, call: Call) -> Answer:
    """POST /transfer/resend_otp: the answer has no data."""
    _require_waiting_for_otp(sim, call)
    if text(call.body, "reason") not in _OTP_REASONS:
        raise Refusal("Invalid reason passed", "invalid_params")
    return Answer(200, {"status": True, "message": "OTP has been resent"})


def move(sim: Sim, transfer: TransferRecord, status: str) -> None:
    """Take a transfer to another status, along the edges that Paystack's documentation allows, and announce it.

    What was not paid comes back with its fee; what is reversed after success comes back without.
    """
    allowed = transfer.status in OPEN or (transfer.status == "success" and status == "reversed")
    if not allowed or status not in (OPEN | UNPAID | {"success", "reversed"}):
        raise Refusal(f"A transfer does not go from {transfer.status} to {status}", "invalid_params")
    if status in UNPAID or (status == "reversed" and transfer.status != "success"):
        sim.move(
            "transfer_fee_returned", "balance", transfer.currency, transfer.fee_minor, transfer.reference, transfer.id
        )
    if status in UNPAID or status == "reversed":
        sim.move(
            "transfer_returned", "balance", transfer.currency, transfer.amount_minor, transfer.reference, transfer.id
        )
    _set(sim, transfer, status)
    if status in ("success", "failed", "reversed"):
        sim.announce(f"transfer.{status}", transfer.reference, webhook_view(sim, transfer))


def move_later(sim: Sim, reference: str, status: str) -> None:
    """Do a move that was planned, unless something else happened first."""
    transfer = sim.store.transfers.get(reference)
    if transfer is not None and (transfer.status in OPEN or (transfer.status, status) == ("success", "reversed")):
        move(sim, transfer, status)


def brief_view(sim: Sim, transfer: TransferRecord) -> dict[str, object]:
    """A transfer as initiate shows it: the recipient is a number."""
    return {
        "integration": INTEGRATION,
        "domain": sim.mode.value,
        "amount": transfer.amount_minor,
        "currency": transfer.currency,
        "source": "balance",
        "source_details": None,
        "reason": transfer.reason,
        "recipient": _recipient_id(sim, transfer),
        "status": transfer.status,
        "failures": None,
        "transfer_code": transfer.transfer_code,
        "titan_code": None,
        "transferred_at": brief(transfer.transferred_at) if transfer.transferred_at else None,
        "reference": transfer.reference,
        "request": transfer.id,
        "id": transfer.id,
        "createdAt": brief(transfer.created_at),
        "updatedAt": brief(transfer.updated_at),
    }


def view(sim: Sim, transfer: TransferRecord) -> dict[str, object]:
    """A transfer as verify shows it: the recipient is an object, the fee is known after success."""
    recipient = _recipient(sim, transfer.recipient_code)
    return {
        **brief_view(sim, transfer),
        "recipient": None if recipient is None else recipient_view(sim, recipient),
        "fee_charged": transfer.fee_minor if transfer.transferred_at else 0,
        "fees_breakdown": None,
        "gateway_response": None,
        "session": {"provider": None, "id": None},
    }


def approval_view(sim: Sim, transfer: TransferRecord) -> dict[str, object]:
    """A transfer as the approval URL is asked about it: what was posted, and the transfer made of it."""
    posted = {
        "source": "balance",
        "amount": transfer.amount_minor,
        "currency": transfer.currency,
        "recipient": transfer.recipient_code,
        "reference": transfer.reference,
        "reason": transfer.reason,
    }
    return {
        "id": transfer.id,
        "domain": sim.mode.value,
        "integration": INTEGRATION,
        "status": "pending",
        "details": {"body": posted},
        "transfers": [view(sim, transfer)],
        "createdAt": brief(transfer.created_at),
    }


def webhook_view(sim: Sim, transfer: TransferRecord) -> dict[str, object]:
    """A transfer in a webhook: failed and reversed spell their dates otherwise, and only success tells the fee."""
    shown = view(sim, transfer)
    if transfer.status == "success":
        return shown
    spelling = {"createdAt": "created_at", "updatedAt": "updated_at"}
    return {spelling.get(name, name): value for name, value in shown.items() if name != "fee_charged"}


def _wanted(sim: Sim, call: Call) -> list[TransferRecord]:
    """A transfer that verify does not know yet is in no list either."""
    now = sim.clock.text()
    return [
        transfer
        for transfer in sim.store.transfers.all()
        if transfer.visible_at <= now
        and fits(
            call,
            status=transfer.status,
            recipient=_recipient_id(sim, transfer),
            amount=transfer.amount_minor,
            currency=transfer.currency,
        )
    ]


def _recipient_id(sim: Sim, transfer: TransferRecord) -> int:
    recipient = _recipient(sim, transfer.recipient_code)
    return 0 if recipient is None else recipient.id


def _read_transfer(sim: Sim, call: Call) -> TransferRecord:
    if text(call.body, "source") != "balance":
        raise Refusal("Transfer source is invalid", "invalid_params")
    amount_minor = require_amount(call)
    recipient = _require_recipient(sim, call)
    currency = require_currency(call, TRANSFER_CURRENCIES, "NGN")
    if currency != recipient.currency:
        raise Refusal("Recipient is not of this currency", "invalid_transfer_recipient")
    now = sim.clock.text()
    return TransferRecord(
        id=sim.store.next_id(),
        transfer_code=sim.code("TRF_"),
        reference=_require_reference(sim, call),
        recipient_code=recipient.recipient_code,
        amount_minor=amount_minor,
        fee_minor=sim.behaviour.fees.transfer_minor(currency),
        currency=currency,
        reason=text(call.body, "reason") or "",
        status="pending",
        created_at=now,
        updated_at=now,
        visible_at=now,
    )


def _require_waiting_for_otp(sim: Sim, call: Call) -> TransferRecord:
    code = require_text(call, "transfer_code", "Transfer code is required")
    transfer = next((known for known in sim.store.transfers.all() if known.transfer_code == code), None)
    if transfer is None:
        raise not_found("Transfer not found", "transfer_not_found")
    if transfer.status != "otp":
        raise Refusal("Transfer is not currently awaiting OTP", "transfer_not_awaiting_otp")
    return transfer


def _require_recipient(sim: Sim, call: Call) -> RecipientRecord:
    recipient = _recipient(sim, require_text(call, "recipient", "Recipient is required"))
    if recipient is None or recipient.is_deleted:
        raise Refusal("Recipient specified is invalid", "invalid_transfer_recipient")
    return recipient


def _require_reference(sim: Sim, call: Call) -> str:
    reference = require_text(call, "reference", "Transfer reference is required")
    if not _REFERENCE.fullmatch(reference):
        raise Refusal("Transfer reference contains invalid characters or length", "invalid_transfer_reference")
    if sim.store.transfers.get(reference) is not None:
        message = "Please provide a unique reference. Reference already exists on a transfer"
        raise Refusal(message, "duplicate_transfer_reference", next_step="Ensure the reference is unique.")
    return reference


def _begin(sim: Sim, transfer: TransferRecord) -> None:
    """Start the life that a fault, or nothing, has planned for this transfer."""
    match transfer.fate:
        case "otp":
            _set(sim, transfer, "otp")
            sim.later(OTP_SECONDS, "transfer", transfer.reference, "abandoned")
        case "pending":
            if transfer.fate_seconds > 0:
                sim.later(transfer.fate_seconds, "transfer", transfer.reference, "success")
        case "fail" | "abandoned" | "blocked" | "rejected":
            sim.later(transfer.fate_seconds, "transfer", transfer.reference, _FATES[transfer.fate])
        case "reversed_after_success":
            move(sim, transfer, "success")
            sim.later(transfer.fate_seconds, "transfer", transfer.reference, "reversed")
        case "late":
            transfer.visible_at = sim.clock.text(transfer.fate_seconds or DEFAULT_DELAY_SECONDS)
            _succeed(sim, transfer)
        case _:
            _succeed(sim, transfer)


def _succeed(sim: Sim, transfer: TransferRecord) -> None:
    if sim.behaviour.transfer_seconds > 0:
        sim.later(sim.behaviour.transfer_seconds, "transfer", transfer.reference, "success")
    else:
        move(sim, transfer, "success")


def _set(sim: Sim, transfer: TransferRecord, status: str) -> None:
    transfer.status = status
    transfer.updated_at = sim.clock.text()
    if status == "success":
        transfer.transferred_at = transfer.updated_at
    sim.store.transfers.put(transfer.reference, transfer)


def _recipient(sim: Sim, code: str) -> RecipientRecord | None:
    return sim.store.recipients.get(code)
