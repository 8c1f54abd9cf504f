"""Charges at the stand-in: initialize, what the checkout ends in, verify, list."""

import json
import re

from gateways.payment import JsonObject
from gateways.paystack.payload import NotJson, decode, is_list, is_object, text
from gateways.paystack.sim import faults
from gateways.paystack.sim.calls import (
    Answer,
    Call,
    Refusal,
    good,
    not_found,
    page,
    require_amount,
    require_currency,
    require_email,
)
from gateways.paystack.sim.clock import brief
from gateways.paystack.sim.records import ChargeRecord
from gateways.paystack.sim.state import CURRENCIES, Sim

OUTCOMES = ("success", "failed", "abandoned")
CHANNELS = ("card", "bank", "ussd", "qr", "mobile_money", "bank_transfer", "eft")
_REFERENCE = re.compile(r"[A-Za-z0-9.=-]{1,100}")
_DEFAULT_CHANNEL = {"KES": "mobile_money", "GHS": "mobile_money"}


def initialize(sim: Sim, call: Call) -> Answer:
    """POST /transaction/initialize."""
    charge = _new_charge(sim, call)
    sim.store.charges.put(charge.reference, charge)
    data = {
        "authorization_url": f"{sim.base_url}/checkout/{charge.access_code}",
        "access_code": charge.access_code,
        "reference": charge.reference,
    }
    return good("Authorization URL created", data)


def verify(sim: Sim, call: Call) -> Answer:
    """GET /transaction/verify/{reference}: 200 also when the payment failed."""
    charge = sim.store.charges.get(call.path["reference"])
    if charge is None:
        raise not_found("Transaction reference not found.", "transaction_not_found")
    return good("Verification successful", view(sim, charge))


def list_charges(sim: Sim, call: Call) -> Answer:
    """GET /transaction, filtered by status, from and to."""
    wanted = call.query.get("status")
    rows = [view(sim, charge) for charge in sim.store.charges.all() if wanted in (None, charge.status)]
    return page(call, "Transactions retrieved", rows)


def find_by_access_code(sim: Sim, access_code: str) -> ChargeRecord | None:
    """The charge whose checkout page has that address."""
    return next((charge for charge in sim.store.charges.all() if charge.access_code == access_code), None)


def finish_checkout(sim: Sim, charge: ChargeRecord, outcome: str) -> None:
    """Do what a button of the checkout page does; raise `Refusal` when it is too late.

    An abandoned checkout can still be paid. Paystack announces success only: no webhook tells of the other two.
    """
    if outcome not in OUTCOMES:
        raise Refusal(f"The outcome is one of {', '.join(OUTCOMES)}", "invalid_params")
    if charge.status not in ("pending", "abandoned"):
        raise Refusal(f"This checkout is over: {charge.status}", "transaction_over")
    if outcome == "success":
        _pay(sim, charge)
    charge.status = outcome
    sim.store.charges.put(charge.reference, charge)
    if outcome == "success":
        sim.announce("charge.success", charge.reference, webhook_view(sim, charge))


def settle(sim: Sim, reference: str) -> None:
    """Let a charge, less its fee, become part of the balance that transfers are paid from."""
    charge = sim.store.charges.get(reference)
    if charge is not None:
        net_minor = charge.paid_minor - (charge.fee_minor or 0)
        sim.move("settlement", "uncleared", charge.paid_currency, -net_minor, reference, charge.id)
        sim.move("settlement", "balance", charge.paid_currency, net_minor, reference, charge.id)


def view(sim: Sim, charge: ChargeRecord) -> dict[str, object]:
    """A charge as verify shows it."""
    return {
        "id": charge.id,
        "domain": sim.mode.value,
        "status": charge.status if charge.status != "pending" else "abandoned",
        "reference": charge.reference,
        "receipt_number": None,
        "amount": charge.paid_minor or charge.amount_minor,
        "message": None,
        "gateway_response": _gateway_response(charge),
        "paid_at": brief(charge.paid_at) if charge.paid_at else None,
        "created_at": brief(charge.created_at),
        "createdAt": brief(charge.created_at),
        "channel": charge.channel,
        "currency": charge.paid_currency or charge.currency,
        "ip_address": "127.0.0.1",
        "metadata": _metadata(charge),
        "log": None,
        "fees": charge.fee_minor,
        "fees_split": None,
        "authorization": {},
        "customer": {"id": charge.id, "email": charge.email, "customer_code": f"CUS_{charge.id:x}"},
        "plan": None,
        "split": {},
        "subaccount": {},
        "requested_amount": charge.amount_minor,
    }


def webhook_view(sim: Sim, charge: ChargeRecord) -> dict[str, object]:
    """A charge as charge.success shows it: metadata 0 when there is none, no requested_amount, mobile fees null."""
    shown = {name: value for name, value in view(sim, charge).items() if name not in ("requested_amount", "createdAt")}
    fees = None if charge.channel == "mobile_money" else charge.fee_minor
    return {**shown, "metadata": _metadata(charge) or 0, "fees": fees}


def _new_charge(sim: Sim, call: Call) -> ChargeRecord:
    email, amount_minor = require_email(call), require_amount(call)
    currency = require_currency(call, CURRENCIES, "NGN")
    reference = text(call.body, "reference") or sim.code()
    if not _REFERENCE.fullmatch(reference):
        raise Refusal("Transaction reference contains invalid characters", "invalid_reference")
    if sim.store.charges.get(reference) is not None:
        raise Refusal(
            "Duplicate Transaction Reference", "duplicate_reference", next_step="Ensure the reference is unique."
        )
    channels = _channels(call)
    return ChargeRecord(
        id=sim.store.next_id(),
        reference=reference,
        access_code=sim.code(),
        email=email,
        amount_minor=amount_minor,
        currency=currency,
        channels=channels,
        callback_url=text(call.body, "callback_url"),
        metadata=_metadata_text(call.body.get("metadata")),
        status="pending",
        created_at=sim.clock.text(),
        channel=channels[0] if channels else _DEFAULT_CHANNEL.get(currency, "card"),
    )


def _channels(call: Call) -> list[str]:
    channels = call.body.get("channels")
    if channels is None:
        return []
    if not is_list(channels) or any(channel not in CHANNELS for channel in channels):
        raise Refusal("Invalid channels", "invalid_params")
    return [str(channel) for channel in channels]


def _pay(sim: Sim, charge: ChargeRecord) -> None:
    fault = sim.faults.take({"checkout"}, {"reference": charge.reference}, faults.CHECKOUT)
    charge.paid_minor = charge.amount_minor if fault is None else fault.amount_minor or charge.amount_minor
    charge.paid_currency = charge.currency if fault is None else fault.currency or charge.currency
    charge.paid_at = sim.clock.text()
    charge.fee_minor = sim.behaviour.fees.charge_minor(charge.paid_currency, charge.channel, charge.paid_minor)
    sim.move("charge", "uncleared", charge.paid_currency, charge.paid_minor, charge.reference, charge.id)
    sim.move("charge_fee", "uncleared", charge.paid_currency, -charge.fee_minor, charge.reference, charge.id)
    if sim.behaviour.settle_seconds > 0:
        sim.later(sim.behaviour.settle_seconds, "settle", charge.reference)
    else:
        sim.store.charges.put(charge.reference, charge)
        settle(sim, charge.reference)


def _gateway_response(charge: ChargeRecord) -> str:
    words = {"success": "Successful", "failed": "Declined"}
    return words.get(charge.status, "The transaction was not completed")


def _metadata(charge: ChargeRecord) -> object:
    return json.loads(charge.metadata) if charge.metadata else ""


def _metadata_text(value: object) -> str:
    """Paystack takes an object, or one written as JSON text."""
    if isinstance(value, str):
        try:
            value = decode(value.encode())
        except NotJson:
            return ""
    return _dump(value) if is_object(value) else ""


def _dump(value: JsonObject) -> str:
    return json.dumps(value, separators=(",", ":"), default=float)
