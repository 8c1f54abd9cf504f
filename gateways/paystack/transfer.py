"""Transfers: pay out of the balance, ask what became of it. https://paystack.com/docs/transfers/single-transfers/

The reference is the only key. After a timeout, a 5xx or "duplicate" the answer to "was it paid?" is GET verify; its 404
means not created yet, and then posting again with the same reference is safe: the second of two is refused.
"""

from urllib.parse import quote

from gateways.errors import GatewayUncertain
from gateways.payment import NewTransfer, Transfer, TransferStatus
from gateways.paystack.http import PaystackHttp
from gateways.paystack.limiter import Budget
from gateways.paystack.payload import (
    JsonObject,
    child,
    integer,
    mode,
    moment,
    require_currency,
    require_integer,
    require_text,
    text,
    word,
)


async def initiate(http: PaystackHttp, transfer: NewTransfer) -> Transfer:
    """POST /transfer. The currency is always sent: Paystack's default is NGN."""
    body = {
        "source": "balance",
        "amount": transfer.amount.amount_minor,
        "currency": transfer.amount.currency.value,
        "recipient": transfer.recipient_code,
        "reference": transfer.reference,
        "reason": transfer.reason,
    }
    return _about(transfer.reference, await http.post("/transfer", body, Budget.TRANSFER))


async def verify(http: PaystackHttp, reference: str) -> Transfer:
    """GET /transfer/verify/{reference}."""
    return _about(reference, await http.get(f"/transfer/verify/{quote(reference, safe='')}"))


async def finalize(http: PaystackHttp, transfer_code: str, otp: str) -> Transfer:
    """POST /transfer/finalize_transfer."""
    body = {"transfer_code": transfer_code, "otp": otp}
    envelope = await http.post("/transfer/finalize_transfer", body, Budget.TRANSFER)
    transfer = parse_transfer(child(envelope, "data"))
    if transfer.transfer_code != transfer_code:
        raise GatewayUncertain("the answer is about another transfer")
    return transfer


async def resend_otp(http: PaystackHttp, transfer_code: str) -> None:
    """POST /transfer/resend_otp; the answer has no data."""
    await http.post("/transfer/resend_otp", {"transfer_code": transfer_code, "reason": "resend_otp"})


def parse_transfer(data: JsonObject) -> Transfer:
    """Read a transfer; `recipient` is an int when initiated and an object later, dates have two spellings."""
    recipient = child(data, "recipient")
    return Transfer(
        processor_id=integer(data, "id"),
        transfer_code=require_text(data, "transfer_code"),
        reference=require_text(data, "reference"),
        status=word(TransferStatus, data.get("status"), TransferStatus.UNKNOWN),
        mode=mode(data),
        amount_minor=require_integer(data, "amount"),
        currency=require_currency(data),
        recipient_code=text(recipient, "recipient_code") or _code_in(data.get("recipient")),
        fee_minor=integer(data, "fee_charged"),
        reason=text(data, "reason"),
        gateway_response=text(data, "gateway_response"),
        created_at=moment(data, "createdAt", "created_at"),
        transferred_at=moment(data, "transferred_at", "transferredAt"),
    )


def _about(reference: str, envelope: JsonObject) -> Transfer:
    transfer = parse_transfer(child(envelope, "data"))
    if transfer.reference != reference:
        raise GatewayUncertain("the answer is about another reference")
    return transfer


def _code_in(recipient: object) -> str | None:
    return recipient if isinstance(recipient, str) and recipient.startswith("RCP_") else None
