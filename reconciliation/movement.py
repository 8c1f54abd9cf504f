"""How a movement is recorded once, whoever does it: the reconciliation, or a person who pastes what it prints."""

from dataclasses import replace
from hashlib import sha256

from domain.actor import Actor
from domain.treasury import MoveFunds
from eventstore.escrow import Request
from reconciliation.key import SETTLEMENT, key_of_evidence
from reconciliation.settlement import SETTLED


def request_of_settlement(actor: Actor, move: MoveFunds) -> Request | None:
    """Return the request of a settlement's booking; None when the movement is none.

    The id of the settlement is the whole key: another amount is refused with `IdempotencyMismatch`, not booked beside.
    """
    key = key_of_evidence(move.evidence)
    if move.movement not in SETTLED or key is None or key.subject != SETTLEMENT:
        return None
    request = Request.keyed(actor, f"reconciliation:{move.movement}:{key}")
    facts = f"{key}:{move.amount.currency}:{move.amount.amount_minor}"
    return replace(request, digest=sha256(facts.encode()).digest())
