"""Settings of the merchant's integration: how long checkouts can be paid, whether transfers need a code."""

import re

from gateways.paystack.payload import as_integer, text
from gateways.paystack.sim.calls import Answer, Call, Refusal, good
from gateways.paystack.sim.records import IntegrationRecord
from gateways.paystack.sim.state import Sim

_KEY = "integration"
_OTP = re.compile(r"[0-9]{6}")


def read_session_timeout(sim: Sim, call: Call) -> Answer:
    """GET /integration/payment_session_timeout, in seconds; 0 never times out."""
    del call
    return good("Payment session timeout retrieved", _view(sim))


def change_session_timeout(sim: Sim, call: Call) -> Answer:
    """PUT /integration/payment_session_timeout {"timeout"}: holds for open checkouts too."""
    seconds = as_integer(call.body.get("timeout"))
    if seconds is None or seconds < 0:
        raise Refusal("Timeout must be a number of seconds, 0 or more", "invalid_params")
    _change(sim, session_timeout_seconds=seconds)
    return good("Payment session timeout updated", _view(sim))


def enable_otp(sim: Sim, call: Call) -> Answer:
    """POST /transfer/enable_otp: from now on each transfer waits for a one-time password."""
    del call
    _change(sim, needs_otp=True)
    return Answer(200, {"status": True, "message": "OTP requirement for transfers has been enabled"})


def ask_to_disable_otp(sim: Sim, call: Call) -> Answer:
    """POST /transfer/disable_otp: sends a password for the next call; changes nothing."""
    del sim, call
    return Answer(200, {"status": True, "message": "OTP has been sent to mobile number ending with 0000"})


def disable_otp(sim: Sim, call: Call) -> Answer:
    """POST /transfer/disable_otp_finalize {"otp"}: any six digits will do."""
    if not _OTP.fullmatch(text(call.body, "otp") or ""):
        raise Refusal("Invalid OTP", "invalid_otp")
    _change(sim, needs_otp=False)
    return Answer(200, {"status": True, "message": "OTP requirement for transfers has been disabled"})


def session_timeout_seconds(sim: Sim) -> int:
    """How long after it was opened a checkout can be paid; 0 is for ever."""
    return _known(sim).session_timeout_seconds


def needs_otp(sim: Sim) -> bool:
    """Tell whether a transfer waits for a one-time password."""
    return _known(sim).needs_otp


def _known(sim: Sim) -> IntegrationRecord:
    return sim.store.integration.get(_KEY) or IntegrationRecord(id=0)


def _change(sim: Sim, **settings: object) -> None:
    sim.store.integration.put(_KEY, _known(sim).model_copy(update={"id": sim.store.next_id(), **settings}))


def _view(sim: Sim) -> dict[str, object]:
    return {"payment_session_timeout": session_timeout_seconds(sim)}
