"""What a buyer does at the stand-in's checkout: pay, fail to pay, go away, or come back and pay late."""

from gateways.paystack.sim import faults, settlements
from gateways.paystack.sim.calls import Refusal
from gateways.paystack.sim.charges import webhook_view
from gateways.paystack.sim.faults import Fault
from gateways.paystack.sim.integration import session_timeout_seconds
from gateways.paystack.sim.records import ChargeRecord
from gateways.paystack.sim.state import Sim

PROCESSING_SECONDS = 60.0
OUTCOMES = ("success", "failed", "abandoned", "late")


def find_by_access_code(sim: Sim, access_code: str) -> ChargeRecord | None:
    """The charge whose checkout page has that address."""
    return sim.indexes.checkouts.get(access_code)


def is_open(sim: Sim, charge: ChargeRecord) -> bool:
    """Tell whether the checkout can still be paid: not done with, and within the session timeout if there is one."""
    timeout_seconds = session_timeout_seconds(sim)
    is_timely = timeout_seconds == 0 or sim.clock.seconds_until(charge.created_at) > -timeout_seconds
    return charge.status in ("pending", "abandoned") and is_timely


def finish_checkout(sim: Sim, charge: ChargeRecord, outcome: str) -> None:
    """Do what a button of the checkout page does; raise `Refusal` when it is too late.

    An abandoned checkout can still be paid; "late" does so after `late_seconds`. Paystack announces success only: no
    webhook tells of the others.
    """
    if outcome not in OUTCOMES:
        raise Refusal(f"The outcome is one of {', '.join(OUTCOMES)}", "invalid_params")
    if not is_open(sim, charge):
        raise Refusal(f"This checkout is over: {charge.status}", "transaction_over")
    if outcome == "success":
        _begin_payment(sim, charge)
        return
    charge.status = "failed" if outcome == "failed" else "abandoned"
    sim.store.charges.put(charge.reference, charge)
    if outcome == "late":
        sim.later(sim.behaviour.late_seconds, "pay", charge.reference)


def pay_late(sim: Sim, reference: str) -> None:
    """Pay after all, unless that was done or the session is over; or conclude what was processing."""
    charge = sim.store.charges.get(reference)
    if charge is None:
        return
    if charge.status == "processing":
        _pay(sim, charge, None)
    elif is_open(sim, charge):
        _begin_payment(sim, charge)


def _begin_payment(sim: Sim, charge: ChargeRecord) -> None:
    """Pay at once, or only begin to if a fault says so, as a slow mobile network does."""
    fault = sim.faults.take({"checkout"}, {"reference": charge.reference}, faults.CHECKOUT)
    if fault is None or fault.kind != "processing":
        _pay(sim, charge, fault)
        return
    charge.status = "processing"
    sim.store.charges.put(charge.reference, charge)
    sim.later(fault.delay_seconds or PROCESSING_SECONDS, "pay", charge.reference)


def _pay(sim: Sim, charge: ChargeRecord, fault: Fault | None) -> None:
    _take_money(sim, charge, fault)
    charge.status, charge.paid_at = "success", sim.clock.text()
    sim.store.charges.put(charge.reference, charge)
    sim.move("charge", "uncleared", charge.paid_currency, charge.paid_minor, charge.reference, charge.id)
    fee_minor = charge.fee_minor or 0
    sim.move("charge_fee", "uncleared", charge.paid_currency, -fee_minor, charge.reference, charge.id)
    sim.indexes.paid(charge)
    settlements.plan(sim, charge)
    if fault is not None and fault.kind == "chargeback":
        sim.later(fault.delay_seconds, "dispute", charge.reference)
    sim.announce("charge.success", charge.reference, webhook_view(sim, charge))


def _take_money(sim: Sim, charge: ChargeRecord, fault: Fault | None) -> None:
    """Decide what is paid: as asked, another amount or currency if a fault says so, or with the fee on top."""
    fees, channel = sim.behaviour.fees, charge.channel
    charge.paid_currency = charge.currency if fault is None else fault.currency or charge.currency
    charge.paid_minor = charge.amount_minor if fault is None else fault.amount_minor or charge.amount_minor
    charge.fee_minor = fees.charge_minor(charge.paid_currency, channel, charge.paid_minor)
    if sim.behaviour.customer_bears_fee or (fault is not None and fault.kind == "customer_bears_fee"):
        charge.paid_minor = fees.with_fee_minor(charge.currency, channel, charge.amount_minor)
        charge.fee_minor = charge.paid_minor - charge.amount_minor
