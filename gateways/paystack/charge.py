"""Charges: open a checkout, ask what became of it. https://paystack.com/docs/api/transaction/"""

from urllib.parse import quote

from gateways.errors import GatewayUncertain
from gateways.payment import Charge, ChargeLink, ChargeStatus, NewCharge
from gateways.paystack.http import PaystackHttp
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


async def initialize(http: PaystackHttp, charge: NewCharge) -> ChargeLink:
    """POST /transaction/initialize."""
    link = parse_link(child(await http.post("/transaction/initialize", _body(charge)), "data"))
    if link.reference != charge.reference:
        raise GatewayUncertain("the answer is about another reference")
    return link


async def verify(http: PaystackHttp, reference: str) -> Charge:
    """GET /transaction/verify/{reference}; a failed payment is a good answer with its own status."""
    envelope = await http.get(f"/transaction/verify/{quote(reference, safe='')}")
    charge = parse_charge(child(envelope, "data"))
    if charge.reference != reference:
        raise GatewayUncertain("the answer is about another reference")
    return charge


async def fetch(http: PaystackHttp, processor_id: int) -> Charge:
    """GET /transaction/{id}."""
    charge = parse_charge(child(await http.get(f"/transaction/{processor_id}"), "data"))
    if charge.processor_id != processor_id:
        raise GatewayUncertain("the answer is about another charge")
    return charge


def parse_link(data: JsonObject) -> ChargeLink:
    """Read the answer of initialize; raise `GatewayUncertain` where a part is missing."""
    return ChargeLink(
        reference=require_text(data, "reference"),
        authorization_url=require_text(data, "authorization_url"),
        access_code=require_text(data, "access_code"),
    )


def parse_charge(data: JsonObject) -> Charge:
    """Read a charge from verify or from a `charge.success` webhook; `fees` may be null, metadata 0, "" or an object."""
    return Charge(
        processor_id=require_integer(data, "id"),
        reference=require_text(data, "reference"),
        status=word(ChargeStatus, data.get("status"), ChargeStatus.UNKNOWN),
        mode=mode(data),
        amount_minor=require_integer(data, "amount"),
        requested_minor=integer(data, "requested_amount"),
        currency=require_currency(data),
        fee_minor=integer(data, "fees"),
        channel=text(data, "channel"),
        paid_at=moment(data, "paid_at", "paidAt"),
        created_at=moment(data, "created_at", "createdAt"),
        gateway_response=text(data, "gateway_response"),
        metadata=child(data, "metadata"),
    )


def _body(charge: NewCharge) -> JsonObject:
    body = {
        "email": charge.email,
        "amount": charge.amount.amount_minor,
        "currency": charge.amount.currency.value,
        "reference": charge.reference,
    }
    return body if charge.metadata is None else {**body, "metadata": dict(charge.metadata)}
