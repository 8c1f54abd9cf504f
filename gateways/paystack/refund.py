"""Refunds: the one write without any key. https://paystack.com/docs/api/refund/

A retried POST /refund may refund twice, bounded only by the charge. So `gateways.ensure` lists, looks for
ours, and only then posts.
"""

from datetime import UTC, datetime, timedelta

from gateways.errors import GatewayUncertain
from gateways.payment import NewRefund, Refund, RefundStatus
from gateways.paystack.http import Params, PaystackHttp
from gateways.paystack.limiter import Budget
from gateways.paystack.payload import (
    JsonObject,
    as_integer,
    boolean,
    child,
    integer,
    is_list,
    is_object,
    mode,
    moment,
    require_currency,
    require_integer,
    text,
    word,
)

PAGE_SIZE = 100
_MAX_PAGES = 200
_CLOCK_MARGIN = timedelta(hours=1)


async def create(http: PaystackHttp, refund: NewRefund) -> Refund:
    """POST /refund, in part or whole: the amount is always sent, because leaving it out means everything."""
    body = {
        "transaction": refund.charge_reference,
        "amount": refund.amount.amount_minor,
        "currency": refund.amount.currency.value,
        "merchant_note": refund.merchant_note,
        **({} if refund.customer_note is None else {"customer_note": refund.customer_note}),
    }
    return parse_refund(child(await http.post("/refund", body, Budget.REFUND), "data"))


async def fetch(http: PaystackHttp, processor_id: int) -> Refund:
    """GET /refund/{id}."""
    refund = parse_refund(child(await http.get(f"/refund/{processor_id}"), "data"))
    if refund.processor_id != processor_id:
        raise GatewayUncertain("the answer is about another refund")
    return refund


async def list_all(http: PaystackHttp, *, since: datetime, until: datetime | None = None) -> tuple[Refund, ...]:
    """GET /refund, every page, widened by an hour on both sides because the clocks are two.

    One that moves to a later page while we read is seen twice, never missed; a list that does not end is uncertain.
    """
    found: dict[int, Refund] = {}
    for page in range(1, _MAX_PAGES + 1):
        refunds = _parse_page(await http.get("/refund", _query(since, until, page)))
        found.update({refund.processor_id: refund for refund in refunds})
        if len(refunds) < PAGE_SIZE:
            return tuple(found.values())
    raise GatewayUncertain(f"more than {_MAX_PAGES} pages of refunds")


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


def _parse_page(envelope: JsonObject) -> list[Refund]:
    entries = envelope.get("data")
    if not is_list(entries):
        raise GatewayUncertain("the list of refunds is not a list")
    return [parse_refund(entry if is_object(entry) else {}) for entry in entries]


def _query(since: datetime, until: datetime | None, page: int) -> Params:
    query: dict[str, str | int] = {"perPage": PAGE_SIZE, "page": page, "from": _iso(since - _CLOCK_MARGIN)}
    return query if until is None else {**query, "to": _iso(until + _CLOCK_MARGIN)}


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
