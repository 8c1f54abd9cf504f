"""What `escrow outage` does: time that nobody could use is given back."""

from api.http.query import read_moment
from cli.operator import run_on_ground
from cli.output import report
from cli.wiring import Ground, toolbox_of
from database.clock import read_clock
from domain.reason import require_reason
from reactions.outage import Outage, Outages
from reactions.watch import Watch


def run_outage(since: str, until: str | None, reason: str, *, as_json: bool) -> None:
    """Lengthen every running deadline; raise `OutageInvalid` for a time that is none, `ReasonTooShort`."""
    require_reason(reason)
    began_at, ended_at = read_moment(since), read_clock() if until is None else read_moment(until)
    outage = Outage(f"{began_at.isoformat()} by hand", began_at, ended_at, reason)
    extended = run_on_ground(lambda ground: _make_up(ground, outage))
    facts = {"extended": extended, "seconds": int(outage.lost.total_seconds())}
    report(facts, f"the deadlines of {extended} transactions are later by {outage.lost}", as_json=as_json)


async def _make_up(ground: Ground, outage: Outage) -> int:
    tools = toolbox_of(ground)
    return await Outages(tools, Watch(tools)).make_up(outage)
