"""Disputes at the stand-in as the merchant sees and answers them: list, fetch, evidence, files, accept or decline."""

import hashlib

from gateways.paystack.payload import as_integer, text
from gateways.paystack.sim import disputes, faults
from gateways.paystack.sim.calls import Answer, Call, Refusal, good, not_found, require_text
from gateways.paystack.sim.clock import brief
from gateways.paystack.sim.pages import fits, page
from gateways.paystack.sim.records import DisputeRecord, EvidenceRecord, UploadRecord
from gateways.paystack.sim.state import Sim

UPLOAD_SECONDS = 1800.0
MEDIA_TYPES = ("application/pdf", "image/jpeg")
_ENDINGS = (".pdf", ".jpg", ".jpeg")
_REQUIRED = ("customer_email", "customer_name", "customer_phone", "service_details")
_OPTIONAL = ("delivery_address", "delivery_date")
_FATES = {"chargeback_won": "won", "chargeback_lost": "lost"}


def list_disputes(sim: Sim, call: Call) -> Answer:
    """GET /dispute, filtered by status, transaction (its number), from and to."""
    wanted = [it for it in sim.store.disputes.all() if fits(call, status=it.status, transaction=it.charge_id)]
    return page(call, "Disputes retrieved", [disputes.view(sim, dispute) for dispute in wanted])


def fetch(sim: Sim, call: Call) -> Answer:
    """GET /dispute/{id}."""
    return good("Dispute retrieved", disputes.view(sim, _require(sim, call)))


def of_transaction(sim: Sim, call: Call) -> Answer:
    """GET /dispute/transaction/{id}: one object, as in the sample, where there is one dispute; else an array."""
    number = as_integer(call.path["id"]) or 0
    shown = [disputes.view(sim, dispute) for dispute in disputes.of_charge(sim, number)]
    return good("Dispute retrieved successfully", shown[0] if len(shown) == 1 else shown)


def update(sim: Sim, call: Call) -> Answer:
    """PUT /dispute/{id}: offer another amount. The answer is an array, as in the sample."""
    dispute = _require_open(sim, call)
    refund_minor = _refund_minor(dispute, call)
    file_name = text(call.body, "uploaded_filename")
    dispute.attachments += [] if file_name is None else [_uploaded(sim, dispute, file_name)]
    dispute.refund_minor = refund_minor
    dispute.updated_at = sim.clock.text()
    sim.store.disputes.put(str(dispute.id), dispute)
    return good("Dispute updated successfully", [disputes.view(sim, dispute)])


def add_evidence(sim: Sim, call: Call) -> Answer:
    """POST /dispute/{id}/evidence: sending it again replaces it."""
    dispute = _require(sim, call)
    fields = {name: require_text(call, name, f"{name} is required") for name in _REQUIRED}
    fields |= {name: value for name in _OPTIONAL if (value := text(call.body, name)) is not None}
    now = sim.clock.text()
    known = next((it for it in sim.store.evidence.all() if it.dispute_id == dispute.id), None)
    evidence = EvidenceRecord(
        id=sim.store.next_id() if known is None else known.id,
        dispute_id=dispute.id,
        fields=fields,
        created_at=now if known is None else known.created_at,
        updated_at=now,
    )
    sim.store.evidence.put(str(evidence.id), evidence)
    times = {"createdAt": brief(evidence.created_at), "updatedAt": brief(now)}
    return good("Evidence created", {**fields, "dispute": dispute.id, "id": evidence.id, **times})


def open_upload(sim: Sim, call: Call) -> Answer:
    """GET /dispute/{id}/upload_url?upload_filename=…: an address to PUT one PDF or JPEG to within 30 minutes."""
    dispute = _require(sim, call)
    if not call.query.get("upload_filename", "").lower().endswith(_ENDINGS):
        raise Refusal("Upload filename must end in .pdf, .jpg or .jpeg", "invalid_params")
    upload = UploadRecord(
        id=sim.store.next_id(),
        dispute_id=dispute.id,
        file_name=sim.code(),
        expires_at=sim.clock.text(UPLOAD_SECONDS),
    )
    sim.store.uploads.put(upload.file_name, upload)
    address = f"{sim.base_url}/files/{upload.file_name}?X-Amz-Expires=1800"
    return good("Upload url generated", {"signedUrl": address, "fileName": upload.file_name})


def receive_file(sim: Sim, file_name: str, media_type: str, content: bytes) -> int:
    """PUT to that address; return the status that the file store answers with."""
    upload = sim.store.uploads.get(file_name)
    if upload is None or upload.expires_at < sim.clock.text():
        return 403
    if media_type not in MEDIA_TYPES or not content:
        return 400
    upload.media_type, upload.size_bytes = media_type, len(content)
    upload.sha256 = hashlib.sha256(content).hexdigest()
    sim.store.uploads.put(file_name, upload)
    return 200


def resolve(sim: Sim, call: Call) -> Answer:
    """PUT /dispute/{id}/resolve: accept, and the money goes back; or decline with a file, and the bank decides."""
    dispute = _require_open(sim, call)
    message = require_text(call, "message", "Message is required")
    refund_minor = _refund_minor(dispute, call)
    file_name = require_text(call, "uploaded_filename", "Uploaded filename is required")
    match text(call.body, "resolution"):
        case "merchant-accepted":
            dispute.refund_minor = refund_minor
            disputes.lose(sim, dispute, "merchant-accepted", "merchant", message)
        case "declined":
            _require_evidence(sim, dispute, call)
            dispute.attachments.append(_uploaded(sim, dispute, file_name))
            disputes.decline(sim, dispute, message)
            _plan(sim, dispute, call)
        case _:
            raise Refusal("Resolution is merchant-accepted or declined", "invalid_params")
    said = {"dispute": dispute.id, "sender": "merchant", "body": message, "createdAt": brief(dispute.updated_at)}
    return good("Dispute successfully resolved", {**disputes.view(sim, dispute), "message": said})


def _plan(sim: Sim, dispute: DisputeRecord, call: Call) -> None:
    fault = sim.faults.take({"dispute"}, {**call.facts, "reference": dispute.charge_reference}, faults.DISPUTE)
    if fault is not None:
        sim.later(fault.delay_seconds, "decide", str(dispute.id), _FATES[fault.kind])


def _require(sim: Sim, call: Call) -> DisputeRecord:
    dispute = sim.store.disputes.get(call.path["id"])
    if dispute is None:
        raise not_found("Dispute not found", "dispute_not_found")
    return dispute


def _require_open(sim: Sim, call: Call) -> DisputeRecord:
    dispute = _require(sim, call)
    if dispute.status != disputes.OPEN:
        raise Refusal("Dispute is not awaiting merchant feedback", "dispute_not_open")
    return dispute


def _refund_minor(dispute: DisputeRecord, call: Call) -> int:
    refund_minor = as_integer(call.body.get("refund_amount"))
    if refund_minor is None or not 0 <= refund_minor <= dispute.refund_minor:
        raise Refusal("Invalid refund amount", "invalid_amount")
    return refund_minor


def _uploaded(sim: Sim, dispute: DisputeRecord, file_name: str) -> str:
    upload = sim.store.uploads.get(file_name)
    if upload is None or upload.dispute_id != dispute.id or not upload.sha256:
        raise Refusal("Uploaded file not found", "file_not_found")
    return file_name


def _require_evidence(sim: Sim, dispute: DisputeRecord, call: Call) -> None:
    """Only a fraud claim needs it; one that is named must exist."""
    given = call.body.get("evidence")
    evidence = sim.store.evidence.get(str(given))
    is_of_this = evidence is not None and evidence.dispute_id == dispute.id
    if not is_of_this and (given is not None or dispute.category == "fraud"):
        raise Refusal("Evidence not found", "evidence_not_found")
