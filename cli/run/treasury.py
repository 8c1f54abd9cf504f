"""What `escrow ledger record` does: the platform's own money, as statements show it."""

from cli.operator import make_request, run_on_log
from cli.output import report
from database.settings import Settings
from domain.errors import Invalid, NotFound
from domain.money import Money, parse_charged_currency
from domain.treasury import MoveFunds, Movement, OpenTreasury, Treasury, treasury_id
from eventstore.escrow import Escrow


class MovementUnknown(Invalid):
    """There is no such movement; docs/explanation/money.md lists them all."""

    code = "movement_unknown"


def record_movement(movement: str, currency: str, amount_minor: int, evidence: str, *, as_json: bool) -> None:
    """Record one movement; the same evidence twice records it once."""
    if movement not in set(Movement):
        raise MovementUnknown
    kind, amount = Movement(movement), Money(amount_minor, parse_charged_currency(currency))
    position = run_on_log(Settings(), lambda _pool, escrow: move_funds(escrow, kind, amount, evidence))
    report({"position": position}, f"recorded at position {position}", as_json=as_json)


async def move_funds(escrow: Escrow, movement: Movement, amount: Money, evidence: str) -> int:
    """Record a movement in the stream of its currency, opened when needed; return the position."""
    stream_id = treasury_id(amount.currency)
    try:
        # The reconciliation may have opened it before: to open it anew would be a conflict.
        await escrow.get(Treasury, stream_id)
    except NotFound:
        opening = make_request("treasury", "open", amount.currency)
        await escrow.execute(stream_id, OpenTreasury(currency=amount.currency), opening)
    command = MoveFunds(movement=movement, amount=amount, evidence=evidence)
    request = make_request("treasury", movement, amount.currency, str(amount.amount_minor), evidence)
    return (await escrow.execute(stream_id, command, request)).position
