"""The control panel under /_sim: script faults, push time, drive objects, and read what really happened."""

from collections.abc import Mapping
from dataclasses import asdict

from pydantic import ValidationError

from gateways.paystack.payload import as_integer, text
from gateways.paystack.sim import disputes, refunds, settlements, transfers
from gateways.paystack.sim.audit import audit
from gateways.paystack.sim.calls import Answer, Call, Endpoint, Refusal, not_found
from gateways.paystack.sim.endpoints import require_place
from gateways.paystack.sim.faults import Fault
from gateways.paystack.sim.state import CURRENCIES, POCKETS, Behaviour, Sim
from gateways.paystack.sim.transfers import APPROVAL_EVENT


def read_journal(sim: Sim, call: Call) -> Answer:
    """GET journal: every movement of money after the line with id `after`, and what each pocket holds."""
    after = as_integer(call.query.get("after")) or 0
    lines = [line.model_dump() for line in sim.store.journal.all() if line.id > after]
    pockets = {pocket: {currency: sim.held_minor(pocket, currency) for currency in CURRENCIES} for pocket in POCKETS}
    return Answer(200, {"lines": lines, "pockets": pockets})


def read_audit(sim: Sim, call: Call) -> Answer:
    """GET audit: 200 if the stand-in's own books are right, 500 with the problems if not."""
    del call
    found = audit(sim)
    return Answer(200 if found.is_ok else 500, {"ok": found.is_ok, **asdict(found)})


def read_objects(sim: Sim, call: Call) -> Answer:
    """GET objects: everything but journal, deliveries and tasks, as the stand-in keeps it."""
    del call
    return Answer(200, {name: [row.model_dump() for row in table.all()] for name, table in sim.store.objects().items()})


def add_fault(sim: Sim, call: Call) -> Answer:
    """POST faults {"endpoint", "kind", "times", "match", …}."""
    try:
        fault = require_place(Fault.model_validate(call.body))
    except ValueError as error:
        raise Refusal(str(error), "invalid_params") from None
    sim.faults.add(fault)
    return Answer(201, fault.model_dump())


def list_faults(sim: Sim, call: Call) -> Answer:
    """GET faults: those that still wait for their moment."""
    del call
    return Answer(200, {"faults": [fault.model_dump() for fault in sim.faults.waiting]})


def clear_faults(sim: Sim, call: Call) -> Answer:
    """DELETE faults."""
    del call
    sim.faults.clear()
    return Answer(200, {"faults": []})


def change_balance(sim: Sim, call: Call) -> Answer:
    """POST balance {"currency", "amount_minor"}: a top-up, or a withdrawal when negative."""
    currency, amount_minor = text(call.body, "currency"), as_integer(call.body.get("amount_minor"))
    if currency not in CURRENCIES or amount_minor is None:
        raise Refusal("A currency and an amount_minor are needed", "invalid_params")
    sim.move("top_up", "balance", currency, amount_minor, "", 0)
    return Answer(200, {"currency": currency, "balance_minor": sim.held_minor("balance", currency)})


def settle_now(sim: Sim, call: Call) -> Answer:
    """POST settlements {"currency"?}: pay out at once what was charged, in one currency or in all."""
    wanted = text(call.body, "currency")
    made = [settlements.settle_all(sim, currency) for currency in CURRENCIES if wanted in (None, currency)]
    return Answer(200, {"settlements": [it.model_dump() for it in made if it is not None]})


def read_settings(sim: Sim, call: Call) -> Answer:
    """GET settings: how it behaves when nothing goes wrong."""
    del call
    return Answer(200, sim.behaviour.model_dump(exclude={"fees"}))


def change_settings(sim: Sim, call: Call) -> Answer:
    """POST settings {"settles_to": "bank", "approval_url": …}: these change, the others stay."""
    try:
        sim.behaviour = Behaviour.model_validate({**sim.behaviour.model_dump(), **call.body})
    except ValidationError as error:
        raise Refusal("; ".join(str(line["msg"]) for line in error.errors()), "invalid_params") from None
    return read_settings(sim, call)


def move_transfer(sim: Sim, call: Call) -> Answer:
    """POST transfers/{reference} {"status"}: take it to another status."""
    transfer = sim.store.transfers.get(call.path["reference"])
    if transfer is None:
        raise not_found("Transfer not found", "transfer_not_found")
    transfers.move(sim, transfer, text(call.body, "status") or "")
    return Answer(200, transfer.model_dump())


def move_refund(sim: Sim, call: Call) -> Answer:
    """POST refunds/{id} {"status"}: take it to another status."""
    refund = sim.store.refunds.get(call.path["id"])
    if refund is None:
        raise not_found("Refund not found", "refund_not_found")
    refunds.move(sim, refund, text(call.body, "status") or "")
    return Answer(200, refund.model_dump())


def open_dispute(sim: Sim, call: Call) -> Answer:
    """POST disputes {"reference", "category"?, "amount_minor"?, "due_seconds"?}: the buyer's bank wants money back."""
    charge = sim.store.charges.get(text(call.body, "reference") or "")
    if charge is None:
        raise not_found("Transaction not found", "transaction_not_found")
    dispute = disputes.open_dispute(
        sim,
        charge,
        refund_minor=as_integer(call.body.get("amount_minor")),
        category=text(call.body, "category") or "chargeback",
        seconds=as_integer(call.body.get("due_seconds")) or 0,
    )
    return Answer(201, dispute.model_dump())


def decide_dispute(sim: Sim, call: Call) -> Answer:
    """POST disputes/{id} {"outcome": "won"|"lost", "resolution"?}: the bank decides; with another word if given."""
    outcome, resolution = text(call.body, "outcome") or "", text(call.body, "resolution")
    return Answer(200, disputes.decide(sim, call.path["id"], outcome, resolution).model_dump())


def list_webhooks(sim: Sim, call: Call) -> Answer:
    """GET webhooks: every one with its body and each try to deliver it."""
    del call
    return Answer(
        200, {"webhooks": [row.model_dump() for row in sim.store.deliveries.all()], "url": sim.behaviour.webhook_url}
    )


def set_webhook_url(sim: Sim, call: Call) -> Answer:
    """POST webhooks {"url"}: deliver there from now on; null stops deliveries, which then count as unanswered."""
    sim.behaviour = sim.behaviour.model_copy(update={"webhook_url": text(call.body, "url")})
    return Answer(200, {"url": sim.behaviour.webhook_url})


def resend_webhook(sim: Sim, call: Call) -> Answer:
    """POST webhooks/{id}/resend: deliver it (again), as the dashboard's button does; also one that was lost."""
    delivery = sim.store.deliveries.get(call.path["id"])
    if delivery is None or delivery.event == APPROVAL_EVENT:
        raise not_found("Webhook not found", "webhook_not_found")
    sim.later(0.0, "webhook", str(delivery.id))
    return Answer(202, {"id": delivery.id})


def advance_clock(sim: Sim, call: Call) -> Answer:
    """POST clock {"advance_seconds"}: push the stand-in's time forward."""
    seconds = as_integer(call.body.get("advance_seconds"))
    if seconds is None or seconds < 0:
        raise Refusal("advance_seconds is a whole number, zero or more", "invalid_params")
    sim.clock.advance(seconds)
    return read_clock(sim, call)


def read_clock(sim: Sim, call: Call) -> Answer:
    """GET clock."""
    del call
    return Answer(200, {"now": sim.clock.text(), "scale": sim.clock.scale})


CONTROLS: Mapping[tuple[str, str], Endpoint] = {
    ("GET", "/_sim/journal"): read_journal,
    ("GET", "/_sim/audit"): read_audit,
    ("GET", "/_sim/objects"): read_objects,
    ("GET", "/_sim/faults"): list_faults,
    ("POST", "/_sim/faults"): add_fault,
    ("DELETE", "/_sim/faults"): clear_faults,
    ("POST", "/_sim/balance"): change_balance,
    ("POST", "/_sim/settlements"): settle_now,
    ("GET", "/_sim/settings"): read_settings,
    ("POST", "/_sim/settings"): change_settings,
    ("POST", "/_sim/transfers/{reference}"): move_transfer,
    ("POST", "/_sim/refunds/{id}"): move_refund,
    ("POST", "/_sim/disputes"): open_dispute,
    ("POST", "/_sim/disputes/{id}"): decide_dispute,
    ("GET", "/_sim/webhooks"): list_webhooks,
    ("POST", "/_sim/webhooks"): set_webhook_url,
    ("POST", "/_sim/webhooks/{id}/resend"): resend_webhook,
    ("GET", "/_sim/clock"): read_clock,
    ("POST", "/_sim/clock"): advance_clock,
}
