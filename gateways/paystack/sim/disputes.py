"""The life of a chargeback at the stand-in: opened, reminded of, accepted by silence, answered, won or lost.

Paystack's words for a dispute that the bank has decided are not documented. Here a chargeback that was lost after the
merchant declined it reads `merchant-accepted` unless the control panel gives another word, and only one that was lost
has a refund: that is what to trust.
"""

from gateways.paystack.sim import refunds
from gateways.paystack.sim.calls import Refusal
from gateways.paystack.sim.charges import view as charge_view
from gateways.paystack.sim.clock import brief
from gateways.paystack.sim.records import ChargeRecord, DisputeRecord, Step
from gateways.paystack.sim.state import Sim

CATEGORIES = ("chargeback", "fraud", "general")
OPEN = "awaiting-merchant-feedback"
AT_BANK = "awaiting-bank-feedback"
RESOLVED = "resolved"
BUYERS_BANK = "bank"


def open_dispute(
    sim: Sim,
    charge: ChargeRecord,
    *,
    refund_minor: int | None = None,
    category: str = "chargeback",
    seconds: float = 0.0,
) -> DisputeRecord:
    """Let the buyer's bank ask for money back, by default all that is left, within `seconds` or the usual time."""
    left_minor = charge.paid_minor - charge.refunded_minor
    wanted_minor = left_minor if refund_minor is None else refund_minor
    if charge.paid_at is None or not 0 < wanted_minor <= left_minor:
        raise Refusal("Nothing of this transaction, or not that much, can be charged back", "invalid_amount")
    if _is_disputed(sim, charge):
        raise Refusal("This transaction is disputed already", "duplicate_dispute")
    if category not in CATEGORIES:
        raise Refusal(f"The category is one of {', '.join(CATEGORIES)}", "invalid_params")
    dispute = _new_dispute(sim, charge, wanted_minor, category, seconds or sim.behaviour.dispute_seconds)
    _keep(sim, dispute, OPEN, BUYERS_BANK)
    sim.later(sim.behaviour.remind_seconds, "remind", str(dispute.id))
    sim.later(sim.clock.seconds_until(dispute.due_at), "due", str(dispute.id))
    sim.announce("charge.dispute.create", charge.reference, view(sim, dispute))
    return dispute


def open_later(sim: Sim, reference: str) -> None:
    """Open one that was planned, unless the money has gone back meanwhile, or is disputed already."""
    charge = sim.store.charges.get(reference)
    if charge is not None and charge.refunded_minor < charge.paid_minor and not _is_disputed(sim, charge):
        open_dispute(sim, charge)


def _is_disputed(sim: Sim, charge: ChargeRecord) -> bool:
    return any(dispute.status != RESOLVED for dispute in of_charge(sim, charge.id))


def of_charge(sim: Sim, charge_id: int) -> list[DisputeRecord]:
    """The disputes of one charge, oldest first."""
    return [dispute for dispute in sim.store.disputes.all() if dispute.charge_id == charge_id]


def remind(sim: Sim, dispute_id: str) -> None:
    """Announce it again while the merchant is silent, until it is due."""
    dispute = sim.store.disputes.get(dispute_id)
    if dispute is not None and dispute.status == OPEN and dispute.due_at > sim.clock.text():
        sim.announce("charge.dispute.remind", dispute.charge_reference, view(sim, dispute))
        sim.later(sim.behaviour.remind_seconds, "remind", dispute_id)


def accept_by_silence(sim: Sim, dispute_id: str) -> None:
    """What happens when it is due and the merchant has said nothing."""
    dispute = sim.store.disputes.get(dispute_id)
    if dispute is not None and dispute.status == OPEN:
        lose(sim, dispute, "auto-accepted", "paystack")


def decline(sim: Sim, dispute: DisputeRecord, message: str) -> None:
    """The merchant fights it: now the bank decides, when a fault or the control panel says so."""
    dispute.resolution = "declined"
    _keep(sim, dispute, AT_BANK, "merchant", message)


def decide(sim: Sim, dispute_id: str, outcome: str, resolution: str | None = None) -> DisputeRecord:
    """Let the bank decide for the merchant ("won") or for the buyer ("lost"), also before he has answered."""
    dispute = sim.store.disputes.get(dispute_id)
    if dispute is None or dispute.status == RESOLVED or outcome not in ("won", "lost"):
        raise Refusal("There is nothing to decide: an open dispute is won or lost", "invalid_params")
    if outcome == "lost":
        lose(sim, dispute, resolution or "merchant-accepted", BUYERS_BANK)
    else:
        _resolve(sim, dispute, resolution or "declined", BUYERS_BANK)
    return dispute


def decide_later(sim: Sim, dispute_id: str, outcome: str) -> None:
    """Do what was planned, unless it is decided already."""
    dispute = sim.store.disputes.get(dispute_id)
    if dispute is not None and dispute.status != RESOLVED:
        decide(sim, dispute_id, outcome)


def lose(sim: Sim, dispute: DisputeRecord, resolution: str, by: str, message: str = "") -> None:
    """Take the money from the balance, which may become negative, and give it back as a refund with `dispute` set."""
    charge = sim.store.charges.get(dispute.charge_reference)
    if charge is not None:
        dispute.refund_minor = min(dispute.refund_minor, charge.paid_minor - charge.refunded_minor)
        dispute.refund_id = refunds.charge_back(sim, charge, dispute.id, dispute.refund_minor)
    _resolve(sim, dispute, resolution, by, message)


def view(sim: Sim, dispute: DisputeRecord) -> dict[str, object]:
    """A dispute as fetch, list and webhooks show it."""
    charge = sim.store.charges.get(dispute.charge_reference)
    shown = {} if charge is None else charge_view(sim, charge)
    evidence = next((it for it in reversed(sim.store.evidence.all()) if it.dispute_id == dispute.id), None)
    return {
        "id": dispute.id,
        "refund_amount": dispute.refund_minor,
        "currency": dispute.currency,
        "status": dispute.status,
        "resolution": dispute.resolution,
        "domain": sim.mode.value,
        "transaction": shown,
        "transaction_reference": None,
        "category": dispute.category,
        "customer": shown.get("customer"),
        "bin": None,
        "last4": None,
        "dueAt": brief(dispute.due_at),
        "resolvedAt": brief(dispute.resolved_at) if dispute.resolved_at else None,
        "evidence": None if evidence is None else {"id": evidence.id, "dispute": dispute.id, **evidence.fields},
        "attachments": ",".join(dispute.attachments) or "[]",
        "note": None,
        **_story(dispute),
        "createdAt": brief(dispute.created_at),
        "updatedAt": brief(dispute.updated_at),
    }


def _story(dispute: DisputeRecord) -> dict[str, object]:
    history = [{"status": step.status, "by": step.by, "createdAt": brief(step.at)} for step in dispute.steps]
    said = [step for step in dispute.steps if step.message]
    messages = [{"sender": step.by, "body": step.message, "createdAt": brief(step.at)} for step in said]
    return {"history": history, "messages": messages}


def _new_dispute(sim: Sim, charge: ChargeRecord, refund_minor: int, category: str, seconds: float) -> DisputeRecord:
    now = sim.clock.text()
    return DisputeRecord(
        id=sim.store.next_id(),
        charge_reference=charge.reference,
        charge_id=charge.id,
        refund_minor=refund_minor,
        currency=charge.paid_currency,
        category=category,
        status=OPEN,
        created_at=now,
        updated_at=now,
        due_at=sim.clock.text(seconds),
        steps=[],
    )


def _resolve(sim: Sim, dispute: DisputeRecord, resolution: str, by: str, message: str = "") -> None:
    dispute.resolution = resolution
    dispute.resolved_at = sim.clock.text()
    _keep(sim, dispute, RESOLVED, by, message)
    sim.announce("charge.dispute.resolve", dispute.charge_reference, view(sim, dispute))


def _keep(sim: Sim, dispute: DisputeRecord, status: str, by: str, message: str = "") -> None:
    dispute.status = status
    dispute.updated_at = sim.clock.text()
    dispute.steps.append(Step(at=dispute.updated_at, status=status, by=by, message=message))
    sim.store.disputes.put(str(dispute.id), dispute)
