"""Chargebacks, which Paystack calls disputes: see them, answer them. https://paystack.com/docs/api/dispute/"""

from datetime import datetime

from gateways.chargeback import Answer, Chargeback, ChargebackResolution, ChargebackStatus, Evidence, Upload
from gateways.errors import GatewayRefused, GatewayUncertain
from gateways.paystack import paging
from gateways.paystack.http import PaystackHttp
from gateways.paystack.payload import (
    JsonObject,
    as_integer,
    child,
    integer,
    moment,
    require_integer,
    require_text,
    text,
    word,
)

_ANSWERS = frozenset({ChargebackResolution.MERCHANT_ACCEPTED, ChargebackResolution.DECLINED})


async def list_all(
    http: PaystackHttp, since: datetime, status: ChargebackStatus | None = None
) -> tuple[Chargeback, ...]:
    """GET /dispute, every page; what comes back in another status than was asked for is left out."""
    query = paging.window(since)
    query = query if status is None else {**query, "status": status.value}
    found = await paging.list_all(http, "/dispute", parse_chargeback, query)
    return tuple(one for one in found.values() if status in (None, one.status))


async def list_of(http: PaystackHttp, charge_id: int) -> tuple[Chargeback, ...]:
    """GET /dispute?transaction={id}: the list of /dispute/transaction/{id} shows only one in the sample."""
    found = await paging.list_all(http, "/dispute", parse_chargeback, {"transaction": charge_id})
    if any(chargeback.charge_id is None for chargeback in found.values()):
        raise GatewayUncertain("a chargeback of an unknown charge")
    return tuple(chargeback for chargeback in found.values() if chargeback.charge_id == charge_id)


async def fetch(http: PaystackHttp, processor_id: int) -> Chargeback:
    """GET /dispute/{id}."""
    return _about(processor_id, await http.get(f"/dispute/{processor_id}"))


async def send_evidence(http: PaystackHttp, processor_id: int, evidence: Evidence) -> int:
    """POST /dispute/{id}/evidence; the answer must be about this dispute if it says about which."""
    delivered_on = evidence.delivery_date
    body = {
        "customer_email": evidence.customer_email,
        "customer_name": evidence.customer_name,
        "customer_phone": evidence.customer_phone,
        "service_details": evidence.service_details,
        **({} if delivered_on is None else {"delivery_date": delivered_on.isoformat()}),
    }
    data = child(await http.post(f"/dispute/{processor_id}/evidence", body), "data")
    if integer(data, "dispute") not in (processor_id, None):
        raise GatewayUncertain("the answer is about another chargeback")
    return require_integer(data, "id")


async def open_upload(http: PaystackHttp, processor_id: int, file_name: str) -> Upload:
    """GET /dispute/{id}/upload_url."""
    data = child(await http.get(f"/dispute/{processor_id}/upload_url", {"upload_filename": file_name}), "data")
    return Upload(
        signed_url=require_text(data, "signedUrl", "signed_url"), file_name=require_text(data, "fileName", "file_name")
    )


async def answer(http: PaystackHttp, processor_id: int, answer: Answer) -> Chargeback:
    """PUT /dispute/{id}/resolve; only the merchant's two words are sent, whatever else has been seen."""
    if answer.resolution not in _ANSWERS:
        raise GatewayRefused("a merchant accepts or declines")
    body: JsonObject = {
        "resolution": answer.resolution.value,
        "message": answer.message,
        "refund_amount": answer.refund_minor,
        "uploaded_filename": answer.uploaded_file_name,
        **({} if answer.evidence_id is None else {"evidence": answer.evidence_id}),
    }
    return _about(processor_id, await http.put(f"/dispute/{processor_id}/resolve", body))


def parse_chargeback(data: JsonObject) -> Chargeback:
    """Read a dispute; without an amount of its own it is about the whole charge; `transaction` is an id or object."""
    charge = child(data, "transaction")
    word_of_end = text(data, "resolution")
    return Chargeback(
        processor_id=require_integer(data, "id"),
        status=word(ChargebackStatus, data.get("status"), ChargebackStatus.UNKNOWN),
        resolution=word(ChargebackResolution, word_of_end, ChargebackResolution.UNKNOWN) if word_of_end else None,
        charge_reference=text(charge, "reference")
        or text(data, "merchant_transaction_reference", "transaction_reference"),
        charge_id=integer(charge, "id") or as_integer(data.get("transaction")),
        refund_minor=_refund_minor(data, charge),
        currency=(text(data, "currency") or text(charge, "currency") or "").upper() or None,
        category=text(data, "category"),
        due_at=moment(data, "dueAt", "due_at"),
        resolved_at=moment(data, "resolvedAt", "resolved_at"),
        created_at=moment(data, "createdAt", "created_at"),
        file_names=_file_names(data),
    )


def _file_names(data: JsonObject) -> tuple[str, ...]:
    """One text with commas, and for none of them an empty one, "[]" or null."""
    names = (text(data, "attachments") or "").strip("[]").split(",")
    return tuple(name.strip().strip('"') for name in names if name.strip())


def _refund_minor(data: JsonObject, charge: JsonObject) -> int:
    refund_minor = integer(data, "refund_amount")
    return require_integer(charge, "amount") if refund_minor is None else refund_minor


def _about(processor_id: int, envelope: JsonObject) -> Chargeback:
    chargeback = parse_chargeback(child(envelope, "data"))
    if chargeback.processor_id != processor_id:
        raise GatewayUncertain("the answer is about another chargeback")
    return chargeback
