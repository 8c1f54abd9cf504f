"""Charges at the stand-in as the merchant sees them: initialize, verify, fetch, list, totals."""

import json
import re
from collections.abc import Sequence

from gateways.payment import JsonObject
from gateways.paystack.payload import NotJson, decode, is_list, is_object, text
from gateways.paystack.sim import faults
from gateways.paystack.sim.calls import (
    Answer,
    Call,
    Refusal,
    good,
    not_found,
    require_amount,
    require_currency,
    require_email,
)
from gateways.paystack.sim.clock import brief
from gateways.paystack.sim.pages import fits, page
from gateways.paystack.sim.records import ChargeRecord
from gateways.paystack.sim.state import CURRENCIES, Sim

CHANNELS = ("card", "bank", "ussd", "qr", "mobile_money", "bank_transfer", "eft")
_REFERENCE = re.compile(r"[A-Za-z0-9.=-]{1,100}")
_DEFAULT_CHANNEL = {"KES": "mobile_money", "GHS": "mobile_money"}


def initialize(sim: Sim, call: Call) -> Answer:
    """POST /transaction/initialize."""
    charge = _new_charge(sim, call)
    sim.store.charges.put(charge.reference, charge)
    sim.indexes.checkouts[charge.access_code] = charge
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
    is_early = sim.faults.take({"verify"}, call.facts, faults.VERIFY) is not None
    shown = view(sim, charge)
    return good("Verification successful", {**shown, "fees": None} if is_early else shown)


def fetch(sim: Sim, call: Call) -> Answer:
    """GET /transaction/{id}."""
    charge = find_by_id(sim, call.path["id"])
    if charge is None:
        raise not_found("Transaction not found", "transaction_not_found")
    return good("Transaction retrieved", view(sim, charge))


def list_charges(sim: Sim, call: Call) -> Answer:
    """GET /transaction, filtered by status, customer, amount, currency, channel, settlement, from and to."""
    return page(call, "Transactions retrieved", [view(sim, charge) for charge in _wanted(sim, call)])


def totals(sim: Sim, call: Call) -> Answer:
    """GET /transaction/totals: of what was paid; pending transfers are what no settlement has paid out yet."""
    paid = [charge for charge in _wanted(sim, call) if charge.paid_at]
    open_ = [charge for charge in paid if charge.settlement_id is None]
    data = {
        "total_transactions": len(paid),
        "total_volume": sum(charge.paid_minor for charge in paid),
        "total_volume_by_currency": _by_currency(paid),
        "pending_transfers": sum(charge.paid_minor for charge in open_),
        "pending_transfers_by_currency": _by_currency(open_),
    }
    return good("Transaction totals", data)


def find_by_id(sim: Sim, number: str) -> ChargeRecord | None:
    """The charge that Paystack gave this number."""
    return next((charge for charge in sim.store.charges.all() if str(charge.id) == number), None)


def view(sim: Sim, charge: ChargeRecord) -> dict[str, object]:
    """A charge as verify shows it."""
    return {
        "id": charge.id,
        "domain": sim.mode.value,
        "status": _status(charge),
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


def _wanted(sim: Sim, call: Call) -> list[ChargeRecord]:
    return [
        charge
        for charge in sim.store.charges.all()
        if fits(
            call,
            status=_status(charge),
            customer=charge.id,
            amount=charge.paid_minor or charge.amount_minor,
            currency=charge.paid_currency or charge.currency,
            channel=charge.channel,
            settlement=charge.settlement_id,
        )
    ]


def _by_currency(charges: Sequence[ChargeRecord]) -> list[dict[str, object]]:
    currencies = sorted({charge.paid_currency for charge in charges})
    return [
        {"currency": currency, "amount": sum(it.paid_minor for it in charges if it.paid_currency == currency)}
        for currency in currencies
    ]


def _status(charge: ChargeRecord) -> str:
    """A checkout that nobody has touched shows as abandoned."""
    return "abandoned" if charge.status == "pending" else charge.status


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
