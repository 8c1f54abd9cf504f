"""Settings of the merchant's integration at the stand-in: how long a checkout can be paid."""

from gateways.paystack.payload import as_integer
from gateways.paystack.sim.calls import Answer, Call, Refusal, good
from gateways.paystack.sim.records import IntegrationRecord
from gateways.paystack.sim.state import Sim

_KEY = "integration"


def read_session_timeout(sim: Sim, call: Call) -> Answer:
    """GET /integration/payment_session_timeout, in seconds; 0 never times out."""
    del call
    return good("Payment session timeout retrieved", _view(sim))


def change_session_timeout(sim: Sim, call: Call) -> Answer:
    """PUT /integration/payment_session_timeout {"timeout"}: holds for open checkouts too."""
    seconds = as_integer(call.body.get("timeout"))
    if seconds is None or seconds < 0:
        raise Refusal("Timeout must be a number of seconds, 0 or more", "invalid_params")
    sim.store.integration.put(_KEY, IntegrationRecord(id=sim.store.next_id(), session_timeout_seconds=seconds))
    return good("Payment session timeout updated", _view(sim))


def session_timeout_seconds(sim: Sim) -> int:
    """How long after it was opened a checkout can be paid; 0 is for ever."""
    known = sim.store.integration.get(_KEY)
    return 0 if known is None else known.session_timeout_seconds


def _view(sim: Sim) -> dict[str, object]:
    return {"payment_session_timeout": session_timeout_seconds(sim)}
