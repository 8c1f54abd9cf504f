"""Settlements at the stand-in: charges, less fees and refunds, go to the balance or to the merchant's bank."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gateways.paystack.sim.calls import Answer, Call, not_found
from gateways.paystack.sim.charges import view as charge_view
from gateways.paystack.sim.clock import ISO, brief, parse_iso
from gateways.paystack.sim.pages import fits, page
from gateways.paystack.sim.records import ChargeRecord, RefundRecord, SettlementRecord
from gateways.paystack.sim.state import INTEGRATION, Sim

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def plan(sim: Sim, charge: ChargeRecord) -> None:
    """Say when a charge that was paid is settled; at once if nothing has to be waited for."""
    if sim.behaviour.settle_seconds is None:
        return
    charge.settle_at = _payout_at(sim, sim.behaviour.settle_seconds)
    sim.store.charges.put(charge.reference, charge)
    if charge.settle_at <= sim.clock.text():
        settle_due(sim, charge.paid_currency)
    else:
        sim.later(sim.clock.seconds_until(charge.settle_at), "settle", charge.paid_currency)


def settle_due(sim: Sim, currency: str) -> None:
    """Pay out every charge of this currency whose time has come."""
    now = sim.clock.text()
    _settle(sim, currency, [charge for charge in sim.indexes.unsettled(currency) if (charge.settle_at or now) <= now])


def settle_all(sim: Sim, currency: str) -> SettlementRecord | None:
    """Pay out whatever has not been paid out in this currency."""
    return _settle(sim, currency, sim.indexes.unsettled(currency))


def list_settlements(sim: Sim, call: Call) -> Answer:
    """GET /settlement, filtered by status, from and to."""
    shown = [view(sim, settlement) for settlement in sim.store.settlements.all()]
    return page(call, "Settlements retrieved", [row for row in shown if fits(call, status=row["status"])])


def list_settled_charges(sim: Sim, call: Call) -> Answer:
    """GET /settlement/{id}/transactions."""
    settlement = sim.store.settlements.get(call.path["id"])
    if settlement is None:
        raise not_found("Settlement not found", "settlement_not_found")
    charges = [charge for charge in sim.store.charges.all() if charge.settlement_id == settlement.id]
    return page(call, "Transactions retrieved", [charge_view(sim, charge) for charge in charges])


def view(sim: Sim, settlement: SettlementRecord) -> dict[str, object]:
    """A settlement as the list shows it."""
    at = brief(settlement.settled_at)
    return {
        "id": settlement.id,
        "domain": sim.mode.value,
        "status": "success",
        "currency": settlement.currency,
        "integration": INTEGRATION,
        "total_amount": settlement.total_minor,
        "effective_amount": settlement.effective_minor,
        "total_fees": settlement.fees_minor,
        "total_processed": settlement.total_minor,
        "deductions": settlement.deductions_minor or None,
        "settlement_date": at,
        "settled_by": None,
        "createdAt": at,
        "updatedAt": at,
    }


def _payout_at(sim: Sim, seconds: float) -> str:
    """The present plus the delay, and then the next payout of the schedule, if there is one."""
    every = sim.behaviour.settle_every_seconds
    if every == 0:
        return sim.clock.text(seconds)
    passed = (parse_iso(sim.clock.text(seconds)) - _EPOCH).total_seconds()
    return (_EPOCH + timedelta(seconds=math.ceil(passed / every) * every)).strftime(ISO)


def _settle(sim: Sim, currency: str, charges: Sequence[ChargeRecord]) -> SettlementRecord | None:
    if not charges:
        return None
    settlement = SettlementRecord(
        id=sim.store.next_id(),
        currency=currency,
        total_minor=sum(charge.paid_minor for charge in charges),
        fees_minor=sum(charge.fee_minor or 0 for charge in charges),
        deductions_minor=0,
        pocket=sim.behaviour.settles_to,
        settled_at=sim.clock.text(),
    )
    for charge in charges:
        _pay_out(sim, settlement, charge)
    _deduct_refunds(sim, settlement)
    return sim.store.settlements.put(str(settlement.id), settlement)


def _pay_out(sim: Sim, settlement: SettlementRecord, charge: ChargeRecord) -> None:
    net_minor = charge.paid_minor - (charge.fee_minor or 0)
    for pocket, difference in (("uncleared", -net_minor), (settlement.pocket, net_minor)):
        sim.move("settlement", pocket, settlement.currency, difference, charge.reference, charge.id)
    charge.settlement_id = settlement.id
    sim.indexes.settled(charge)
    sim.store.charges.put(charge.reference, charge)


def _deduct_refunds(sim: Sim, settlement: SettlementRecord) -> None:
    """Keep what refunds have taken from money that was not settled yet; the rest waits for the next payout."""
    for refund in sim.indexes.undeducted(settlement.currency):
        part_minor = min(refund.amount_minor - refund.deducted_minor, settlement.effective_minor)
        _deduct(sim, settlement, refund, part_minor)


def _deduct(sim: Sim, settlement: SettlementRecord, refund: RefundRecord, part_minor: int) -> None:
    if part_minor == 0:
        return
    for pocket, difference in (("uncleared", part_minor), (settlement.pocket, -part_minor)):
        sim.move("refund_deducted", pocket, refund.currency, difference, refund.charge_reference, refund.id)
    settlement.deductions_minor += part_minor
    refund.deducted_minor += part_minor
    refund.settlement_id = settlement.id
    sim.indexes.taken(refund)
    sim.store.refunds.put(str(refund.id), refund)
