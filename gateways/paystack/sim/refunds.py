"""Refunds at the stand-in: no reference, no key, so a second POST refunds a second time while the charge lasts."""

from gateways.paystack.payload import as_integer, child, integer, text
from gateways.paystack.sim import faults
from gateways.paystack.sim.calls import Answer, Call, Refusal, good, not_found, require_amount, require_currency
from gateways.paystack.sim.charges import find_by_id
from gateways.paystack.sim.charges import view as charge_view
from gateways.paystack.sim.clock import brief
from gateways.paystack.sim.faults import Fault
from gateways.paystack.sim.pages import page
from gateways.paystack.sim.records import ChargeRecord, RefundRecord
from gateways.paystack.sim.state import CURRENCIES, INTEGRATION, Sim

EXPECTED_SECONDS = 7 * 24 * 3600.0
_EDGES = {
    "pending": frozenset({"processing", "processed", "failed", "needs-attention"}),
    "processing": frozenset({"processed", "failed", "needs-attention"}),
    "needs-attention": frozenset({"processing", "processed", "failed"}),
}
_PLANS = {"fail": ("processing", "failed"), "needs_attention": ("processing", "needs-attention"), "pending": ()}


def create(sim: Sim, call: Call) -> Answer:
    """POST /refund: the amount leaves the balance, or the money not yet settled, at once."""
    charge = _require_charge(sim, call)
    amount_minor = _require_refundable(charge, call)
    fault = sim.faults.take({"refund"}, call.facts, faults.REFUND)
    refund = _new_refund(sim, charge, call, amount_minor, fault)
    sim.move("refund", refund.pocket, refund.currency, -amount_minor, charge.reference, refund.id)
    charge.refunded_minor += amount_minor
    sim.store.refunds.put(str(refund.id), refund)
    sim.indexes.taken(refund)
    _mark_charge(sim, charge, "reversal pending")
    sim.announce("refund.pending", charge.reference, webhook_view(sim, refund))
    for step, status in enumerate(_fate(fault), start=1):
        sim.later(step * sim.behaviour.refund_seconds, "refund", str(refund.id), status)
    data = {**view(sim, refund), "transaction": charge_view(sim, charge), "fully_deducted": False}
    return good("Refund has been queued for processing", data)


def fetch(sim: Sim, call: Call) -> Answer:
    """GET /refund/{id}."""
    refund = sim.store.refunds.get(call.path["id"])
    if refund is None:
        raise not_found("Refund not found", "refund_not_found")
    return good("Refund retrieved", view(sim, refund))


def list_refunds(sim: Sim, call: Call) -> Answer:
    """GET /refund, by from and to only: there is no filter by charge."""
    return page(call, "Refunds retrieved", [view(sim, refund) for refund in sim.store.refunds.all()])


def move(sim: Sim, refund: RefundRecord, status: str) -> None:
    """Take a refund to another status along the lattice and announce it; a failed one gives its amount back."""
    if status not in _EDGES.get(refund.status, frozenset()):
        raise Refusal(f"A refund does not go from {refund.status} to {status}", "invalid_params")
    refund.status, refund.updated_at = status, sim.clock.text()
    refund.refunded_at = refund.updated_at if status == "processed" else None
    sim.store.refunds.put(str(refund.id), refund)
    sim.indexes.taken(refund)
    charge = sim.store.charges.get(refund.charge_reference)
    if charge is not None and status == "failed":
        _give_back(sim, refund)
        charge.refunded_minor -= refund.amount_minor
        _mark_charge(sim, charge, "success")
    if charge is not None and status == "processed":
        _mark_charge(sim, charge, "reversed")
    sim.announce(f"refund.{status}", refund.charge_reference, webhook_view(sim, refund))


def move_later(sim: Sim, refund_id: str, status: str) -> None:
    """Do a move that was planned, unless something else happened first."""
    refund = sim.store.refunds.get(refund_id)
    if refund is not None and status in _EDGES.get(refund.status, frozenset()):
        move(sim, refund, status)


def charge_back(sim: Sim, charge: ChargeRecord, dispute_id: int, amount_minor: int) -> int | None:
    """Give back what a lost chargeback takes from the balance, at once; return the refund's id, None for nothing."""
    if amount_minor == 0:
        return None
    now = sim.clock.text()
    refund = RefundRecord(
        id=sim.store.next_id(),
        charge_reference=charge.reference,
        charge_id=charge.id,
        amount_minor=amount_minor,
        currency=charge.paid_currency,
        merchant_note="",
        customer_note="",
        status="processed",
        pocket="balance",
        created_at=now,
        updated_at=now,
        expected_at=now,
        refunded_at=now,
        dispute_id=dispute_id,
    )
    sim.move("chargeback", refund.pocket, refund.currency, -amount_minor, charge.reference, refund.id)
    sim.store.refunds.put(str(refund.id), refund)
    charge.refunded_minor += amount_minor
    _mark_charge(sim, charge, "reversed")
    return refund.id


def retry(sim: Sim, call: Call) -> Answer:
    """POST /refund/retry_with_customer_details/{id}: only where attention is needed; it is processed once more."""
    refund = sim.store.refunds.get(call.path["id"])
    if refund is None:
        raise not_found("Refund not found", "refund_not_found")
    details = child(call.body, "refund_account_details")
    number, bank_id = text(details, "account_number"), integer(details, "bank_id")
    if number is None or bank_id is None or text(details, "currency") != refund.currency:
        raise Refusal("Refund account details are invalid", "invalid_params")
    if refund.status != "needs-attention":
        raise Refusal("Refund cannot be retried with customer details", "invalid_refund_status", status=422)
    refund.account_number = number
    move(sim, refund, "processing")
    _plan(sim, refund, call)
    return good("Refund retried and has been queued for processing", view(sim, refund))


def view(sim: Sim, refund: RefundRecord) -> dict[str, object]:
    """A refund as fetch and list show it: `fully_deducted` is an int here, a bool when created."""
    deducted_minor = refund.deducted_minor if refund.pocket == "uncleared" else refund.amount_minor
    return {
        "integration": INTEGRATION,
        "id": refund.id,
        "domain": sim.mode.value,
        "transaction": refund.charge_id,
        "transaction_reference": refund.charge_reference,
        "dispute": refund.dispute_id,
        "settlement": refund.settlement_id,
        "amount": refund.amount_minor,
        "deducted_amount": deducted_minor,
        "currency": refund.currency,
        "channel": None,
        "status": refund.status,
        "fully_deducted": int(deducted_minor == refund.amount_minor),
        "refunded_by": "merchant",
        "refunded_at": brief(refund.refunded_at) if refund.refunded_at else None,
        "expected_at": brief(refund.expected_at),
        "customer_note": refund.customer_note or None,
        "merchant_note": refund.merchant_note or None,
        "bank_reference": None,
        "reason": None if refund.dispute_id is None else "chargeback",
        "initiated_by": "merchant" if refund.dispute_id is None else "customer",
        "refund_type": "full" if refund.refunded_at else None,
        "session_id": None,
        "createdAt": brief(refund.created_at),
        "updatedAt": brief(refund.updated_at),
    }


def webhook_view(sim: Sim, refund: RefundRecord) -> dict[str, object]:
    """A refund in a webhook: the amount mostly a string, the id only where attention is needed, and then a string."""
    as_text = refund.status not in ("failed", "needs-attention")
    charge = sim.store.charges.get(refund.charge_reference)
    data: dict[str, object] = {
        "status": refund.status,
        "transaction_reference": refund.charge_reference,
        "refund_reference": f"RF{refund.id}" if refund.refunded_at else None,
        "amount": str(refund.amount_minor) if as_text else refund.amount_minor,
        "currency": refund.currency,
        "customer": {"first_name": None, "last_name": None, "email": "" if charge is None else charge.email},
        "integration": INTEGRATION,
        "domain": sim.mode.value,
    }
    return {**data, "id": str(refund.id)} if refund.status == "needs-attention" else data


def _plan(sim: Sim, refund: RefundRecord, call: Call) -> None:
    """The last step of a retry, which may fail or need attention again."""
    fault = sim.faults.take({"retry_refund"}, call.facts, faults.REFUND)
    for status in _fate(fault)[1:]:
        sim.later(sim.behaviour.refund_seconds, "refund", str(refund.id), status)


def _fate(fault: Fault | None) -> tuple[str, ...]:
    return _PLANS.get("" if fault is None else fault.kind, ("processing", "processed"))


def _require_charge(sim: Sim, call: Call) -> ChargeRecord:
    wanted = call.body.get("transaction")
    charge = sim.store.charges.get(str(wanted)) or find_by_id(sim, str(as_integer(wanted)))
    if charge is None:
        raise not_found("Transaction not found", "transaction_not_found")
    return charge


def _require_refundable(charge: ChargeRecord, call: Call) -> int:
    """The amount asked for, or all that is left."""
    if charge.paid_at is None:
        raise Refusal("Transaction has not been paid", "transaction_not_successful")
    left_minor = charge.paid_minor - charge.refunded_minor
    if left_minor == 0:
        raise Refusal("Transaction has been fully reversed", "transaction_reversed")
    amount_minor = left_minor if call.body.get("amount") is None else require_amount(call)
    if amount_minor > left_minor:
        raise Refusal("Refund amount cannot be greater than what is left of the transaction", "invalid_refund_amount")
    if require_currency(call, CURRENCIES, charge.paid_currency) != charge.paid_currency:
        raise Refusal("Refund currency must be that of the transaction", "invalid_currency")
    return amount_minor


def _new_refund(sim: Sim, charge: ChargeRecord, call: Call, amount_minor: int, fault: Fault | None) -> RefundRecord:
    kind, now = "" if fault is None else fault.kind, sim.clock.text()
    return RefundRecord(
        id=sim.store.next_id(),
        charge_reference=charge.reference,
        charge_id=charge.id,
        amount_minor=amount_minor,
        currency=charge.paid_currency,
        merchant_note="" if kind == "without_note" else text(call.body, "merchant_note") or "",
        customer_note=text(call.body, "customer_note") or "",
        status="pending",
        pocket=_pocket(sim, charge.paid_currency, amount_minor, refused=kind == "insufficient_balance"),
        created_at=now,
        updated_at=now,
        expected_at=sim.clock.text(EXPECTED_SECONDS),
    )


def _pocket(sim: Sim, currency: str, amount_minor: int, *, refused: bool) -> str:
    """From the next payout if it covers the refund, else from the balance."""
    for pocket in () if refused else ("uncleared", "balance"):
        if sim.held_minor(pocket, currency) >= amount_minor:
            return pocket
    message = "Your balance is not enough to fulfil this request"
    raise Refusal(message, "insufficient_balance", "api_error", next_step="Top up your balance.")


def _give_back(sim: Sim, refund: RefundRecord) -> None:
    """To where it was taken from; what a settlement has kept for it comes back to the balance."""
    left_minor = refund.amount_minor - refund.deducted_minor
    for pocket, amount_minor in ((refund.pocket, left_minor), ("balance", refund.deducted_minor)):
        sim.move("refund_returned", pocket, refund.currency, amount_minor, refund.charge_reference, refund.id)


def _mark_charge(sim: Sim, charge: ChargeRecord, status: str) -> None:
    """Only a refund of everything changes the word of the charge."""
    if status == "success" or charge.refunded_minor == charge.paid_minor:
        charge.status = status
    sim.store.charges.put(charge.reference, charge)
