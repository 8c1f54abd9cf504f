"""Answers to chargebacks: when the log has something to say, it is said before the processor stops waiting.

First the intent, with the hash of the evidence; then the form, the file and the answer; then what became of it. Each of
these may be done again: the form and the file replace what was there, and an answer is only given to a chargeback that
waits for one. That an answer arrived, ours or a person's, is read off the chargeback itself (`reactions.chargeback`).
"""

from functools import partial

from documents.pdf import MEDIA_TYPE
from domain.transaction import Transaction
from domain.transaction.chargeback_answer import AnswerPlan, AnswerReport
from domain.transaction.records import Dispute
from domain.transaction.system_commands import OrderAnswer, RecordAnswer
from gateways.chargeback import Answer, ChargebackResolution, ChargebackStatus, Evidence
from gateways.errors import GatewayRefused
from identity.user import get_user
from reactions.chargeback import NAME, charge_id_of, name_file, record_found
from reactions.chargeback_evidence import TEMPLATE_VERSION, EvidenceFile, assemble
from reactions.question import ask_each
from reactions.toolbox import Toolbox, order, record

NOT_GIVEN = "not given"


async def answer_chargebacks(tools: Toolbox, transaction: Transaction) -> bool:
    """Order the answers that are due, and give those that were ordered; True when that changed the transaction."""
    changed = False
    for dispute in transaction.open_disputes:
        due_at = transaction.answer_due_at(dispute)
        if due_at is not None and tools.clock() >= due_at:
            changed |= await _order(tools, transaction, dispute)
    to_give = transaction.answers_to_give.items()
    answers = {name: partial(_answer, tools, transaction, dispute) for name, dispute in to_give}
    return changed or await ask_each(tools, transaction, answers)


async def _order(tools: Toolbox, transaction: Transaction, dispute: Dispute) -> bool:
    evidence = await assemble(tools, transaction.id, dispute, transaction.version)
    plan = AnswerPlan(
        dispute_id=dispute.dispute_id,
        template_version=TEMPLATE_VERSION,
        evidence_version=transaction.version,
        evidence_sha256=evidence.sha256,
    )
    result = await order(tools, NAME, transaction, OrderAnswer(plan=plan))
    return result.aggregate.version != transaction.version


async def _answer(tools: Toolbox, transaction: Transaction, dispute: Dispute) -> bool:
    number = int(dispute.processor_dispute_id or "")
    found = await tools.gateway.fetch_chargeback(number)
    if found.status is not ChargebackStatus.AWAITING_MERCHANT:
        return await record_found(tools, transaction, found)
    charge_id = await charge_id_of(tools, found) or dispute.charge_id
    if charge_id not in (None, transaction.processor_charge_id):
        # The evidence is of the sale and says nothing about a payment besides it.
        return await _record(tools, transaction, AnswerReport(dispute_id=dispute.dispute_id, refusal="another_payment"))
    ordered = dispute.answer
    assert ordered is not None, "only what was ordered is answered"
    evidence = await assemble(tools, transaction.id, dispute, ordered.evidence_version or 0)
    if evidence.sha256 != ordered.evidence_sha256:
        return await _record(tools, transaction, AnswerReport(dispute_id=dispute.dispute_id, refusal="other_evidence"))
    evidence_id = await _send_form(tools, transaction, number, evidence)
    target = await tools.gateway.open_upload(number)
    await tools.gateway.upload(target, evidence.content, MEDIA_TYPE)
    said = Answer(
        resolution=ChargebackResolution.DECLINED,
        message=evidence.summary,
        refund_minor=0,
        uploaded_file_name=target.file_name,
        evidence_id=evidence_id,
    )
    try:
        await tools.gateway.answer_chargeback(number, said)
    except GatewayRefused as refusal:
        return await _settle(tools, transaction, dispute, refusal)
    refs = (f"sha256:{evidence.sha256}", name_file(target.file_name))
    refs += () if evidence_id is None else (f"evidence:{evidence_id}",)
    return await _record(tools, transaction, AnswerReport(dispute_id=dispute.dispute_id, evidence_refs=refs))


async def _send_form(tools: Toolbox, transaction: Transaction, number: int, evidence: EvidenceFile) -> int | None:
    """Send what the processor's form asks about the customer; the file says the rest.

    Only a claim of fraud needs the form: without it the answer to such a claim is refused, and a person is told.
    """
    async with tools.pool.connection() as connection:
        buyer = await get_user(connection, transaction.buyer_id)
    if buyer.email is None:
        return None
    form = Evidence(
        customer_email=buyer.email,
        customer_name=buyer.legal_name,
        customer_phone=buyer.phone or NOT_GIVEN,
        service_details=evidence.summary,
        delivery_date=evidence.delivered_on,
    )
    try:
        return await tools.gateway.send_evidence(number, form)
    except GatewayRefused:
        return None


async def _settle(tools: Toolbox, transaction: Transaction, dispute: Dispute, refusal: GatewayRefused) -> bool:
    """Refused because it has an answer already, of an earlier call or a person's, or because it does not like ours."""
    found = await tools.gateway.fetch_chargeback(int(dispute.processor_dispute_id or ""))
    if found.status is not ChargebackStatus.AWAITING_MERCHANT:
        return await record_found(tools, transaction, found)
    reason = refusal.gateway_code or refusal.code
    return await _record(tools, transaction, AnswerReport(dispute_id=dispute.dispute_id, refusal=reason))


async def _record(tools: Toolbox, transaction: Transaction, report: AnswerReport) -> bool:
    return await record(tools, NAME, transaction.id, RecordAnswer(report=report))
