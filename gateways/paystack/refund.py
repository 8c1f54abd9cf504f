"""Refunds: the one write without any key. https://paystack.com/docs/api/refund/

A retried POST /refund may refund twice, bounded only by the charge. So `gateways.ensure` lists, looks for
ours, and only then posts.
"""

from datetime import datetime

from gateways.errors import GatewayUncertain
from gateways.payment import NewRefund, Refund, RefundAccount, RefundStatus
from gateways.paystack import paging
from gateways.paystack.http import PaystackHttp
from gateways.paystack.limiter import Budget
from gateways.paystack.payload import (
    JsonObject,
    as_integer,
    boolean,
    child,
    integer,
    mode,
    moment,
    require_currency,
    require_integer,
    text,
    word,
)


async def create(http: PaystackHttp, refund: NewRefund) -> Refund:
    """POST /refund, in part or whole: the amount is always sent, because leaving it out means everything."""
    body = {
        "transaction": refund.charge_reference,
        "amount": refund.amount.amount_minor,
        "currency": refund.amount.currency.value,
        "merchant_note": refund.merchant_note,
    }
    return parse_refund(child(await http.post("/refund", body, Budget.REFUND), "data"))


async def fetch(http: PaystackHttp, processor_id: int) -> Refund:
    """GET /refund/{id}."""
    return _about(processor_id, await http.get(f"/refund/{processor_id}"))


async def retry(http: PaystackHttp, processor_id: int, account: RefundAccount) -> Refund:
    """POST /refund/retry_with_customer_details/{id}; the sample writes the bank's id as text."""
    details = {
        "currency": account.currency.value,
        "account_number": account.account_number,
        "bank_id": str(account.bank_id),
    }
    path = f"/refund/retry_with_customer_details/{processor_id}"
    return _about(processor_id, await http.post(path, {"refund_account_details": details}, Budget.REFUND))


async def list_all(http: PaystackHttp, *, since: datetime) -> tuple[Refund, ...]:
    """GET /refund, every page."""
    return tuple((await paging.list_all(http, "/refund", parse_refund, paging.window(since))).values())


def parse_refund(data: JsonObject) -> Refund:
    """Read a refund; amounts are ints or strings, `fully_deducted` a bool or int, `transaction` an id or object."""
    charge = child(data, "transaction")
    return Refund(
        processor_id=require_integer(data, "id"),
        status=word(RefundStatus, data.get("status"), RefundStatus.UNKNOWN),
        mode=mode(data),
        amount_minor=require_integer(data, "amount"),
        currency=require_currency(data),
        charge_reference=text(data, "transaction_reference") or text(charge, "reference"),
        charge_id=integer(charge, "id") or as_integer(data.get("transaction")),
        merchant_note=text(data, "merchant_note"),
        customer_note=text(data, "customer_note"),
        deducted_minor=integer(data, "deducted_amount"),
        is_fully_deducted=boolean(data, "fully_deducted"),
        dispute_id=integer(data, "dispute"),
        reason=text(data, "reason"),
        bank_reference=text(data, "bank_reference"),
        created_at=moment(data, "createdAt", "created_at"),
        expected_at=moment(data, "expected_at", "expectedAt"),
        refunded_at=moment(data, "refunded_at", "refundedAt"),
    )


def _about(processor_id: int, envelope: JsonObject) -> Refund:
    refund = parse_refund(child(envelope, "data"))
    if refund.processor_id != processor_id:
        raise GatewayUncertain("the answer is about another refund")
    return refund
