"""Transfers in bulk at the stand-in: all of a batch is accepted, or nothing."""

from collections.abc import Sequence

from gateways.payment import JsonObject
from gateways.paystack.payload import is_list, is_object, text
from gateways.paystack.sim import transfers
from gateways.paystack.sim.calls import Answer, Call, Refusal, good
from gateways.paystack.sim.integration import needs_otp
from gateways.paystack.sim.records import TransferRecord
from gateways.paystack.sim.state import Sim

MOST = 100


def initiate(sim: Sim, call: Call) -> Answer:
    """POST /transfer/bulk: each is received now and begins by itself; one-time passwords must be switched off."""
    if needs_otp(sim):
        raise Refusal("Disable the OTP requirement to transfer in bulk", "otp_required")
    lines = _lines(call)
    _refuse_duplicates(sim, lines)
    wanted = [transfers.new_transfer(sim, _call_of(call, line)) for line in lines]
    transfers.require_funds(sim, wanted)
    for transfer in wanted:
        _receive(sim, transfer)
    return good(f"{len(wanted)} transfers queued.", [_view(transfer) for transfer in wanted])


def _lines(call: Call) -> list[JsonObject]:
    lines = call.body.get("transfers")
    if not is_list(lines) or not 0 < len(lines) <= MOST or not all(is_object(line) for line in lines):
        raise Refusal("Transfers must be an array of 1 to 100 transfers", "invalid_params")
    return [line for line in lines if is_object(line)]


def _refuse_duplicates(sim: Sim, lines: Sequence[JsonObject]) -> None:
    references = [text(line, "reference") or "" for line in lines]
    twice = [it for it in references if references.count(it) > 1 or sim.store.transfers.get(it) is not None]
    if twice:
        found = ", ".join(dict.fromkeys(twice))
        raise Refusal(f"Duplicate reference(s) found: {found}", "unknown", "api_error")


def _call_of(call: Call, line: JsonObject) -> Call:
    shared = {name: call.body[name] for name in ("source", "currency") if name in call.body}
    return Call(path={}, query={}, body={**shared, **line})


def _receive(sim: Sim, transfer: TransferRecord) -> None:
    transfer.status = "received"
    transfer.fate = "" if transfer.fate == "otp" else transfer.fate
    transfers.create(sim, transfer)
    sim.later(0.0, "begin" if sim.behaviour.approval_url is None else "approval", transfer.reference)


def _view(transfer: TransferRecord) -> dict[str, object]:
    return {
        "reference": transfer.reference,
        "recipient": transfer.recipient_code,
        "amount": transfer.amount_minor,
        "transfer_code": transfer.transfer_code,
        "currency": transfer.currency,
        "status": transfer.status,
    }
