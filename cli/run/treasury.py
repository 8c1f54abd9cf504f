"""What `escrow ledger record` does: the platform's own money, as statements show it."""

from cli.operator import OPERATOR, make_request, run_on_log
from cli.output import report
from database.settings import Settings
from domain.errors import Invalid, NotFound
from domain.money import Money, parse_charged_currency
from domain.text import is_visible
from domain.treasury import MoveFunds, Movement, OpenTreasury, Treasury, treasury_id
from eventstore.escrow import Escrow, Result
from reconciliation.movement import request_of_settlement


class MovementUnknown(Invalid):
    """There is no such movement; docs/explanation/money.md lists them all."""

    code = "movement_unknown"


class EvidenceMissing(Invalid):
    """Name the statement or settlement that shows the movement: it is what tells a repeat from a second movement."""

    code = "evidence_missing"


def record_movement(movement: str, currency: str, amount_minor: int, evidence: str, *, as_json: bool) -> None:
    """Record one movement; the same evidence twice records it once, and the second time says so."""
    if movement not in set(Movement):
        raise MovementUnknown
    if not is_visible(evidence):
        raise EvidenceMissing
    amount = Money(amount_minor, parse_charged_currency(currency))
    move = MoveFunds(movement=Movement(movement), amount=amount, evidence=evidence)
    result = run_on_log(Settings(), lambda _pool, escrow: move_funds(escrow, move))
    at = f"at position {result.position}"
    sentence = f"was recorded already {at}: nothing was booked now" if result.replayed else f"recorded {at}"
    report({"position": result.position, "recorded_already": result.replayed}, sentence, as_json=as_json)


async def move_funds(escrow: Escrow, move: MoveFunds) -> Result[Treasury]:
    """Record a movement in the stream of its currency, opened when needed.

    Raises `IdempotencyMismatch` for a settlement that is booked with another amount.
    """
    currency = move.amount.currency
    stream_id = treasury_id(currency)
    try:
        # The reconciliation may have opened it before: to open it anew would be a conflict.
        await escrow.get(Treasury, stream_id)
    except NotFound:
        await escrow.execute(stream_id, OpenTreasury(currency=currency), make_request("treasury", "open", currency))
    by_evidence = make_request("treasury", move.movement, currency, str(move.amount.amount_minor), move.evidence)
    return await escrow.execute(stream_id, move, request_of_settlement(OPERATOR, move) or by_evidence)
