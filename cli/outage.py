"""What `escrow outage` does: time that nobody could use is given back."""

import asyncio

from api.query import read_moment
from cli.clock import read_clock
from cli.database import running_server
from cli.output import print_json, say
from cli.wiring import find_settings, open_ground, require_processor, toolbox_of
from database.settings import Settings
from domain.reason import require_reason
from reactions.outage import Outage, Outages
from reactions.watch import Watch

CONNECTIONS = 2


def run_outage(since: str, until: str | None, reason: str, *, as_json: bool) -> None:
    """Lengthen every running deadline; raise `OutageInvalid` for a time that is none, `ReasonTooShort`."""
    require_reason(reason)
    began_at, ended_at = read_moment(since), read_clock() if until is None else read_moment(until)
    settings = find_settings()
    require_processor(settings)
    outage = Outage(f"{began_at.isoformat()} by hand", began_at, ended_at, reason)
    with running_server(settings):
        extended = asyncio.run(_make_up(settings, outage))
    if as_json:
        print_json({"extended": extended, "seconds": int(outage.lost.total_seconds())})
    else:
        say(f"the deadlines of {extended} transactions are later by {outage.lost}")


async def _make_up(settings: Settings, outage: Outage) -> int:
    async with open_ground(settings, read_clock, CONNECTIONS) as ground:
        tools = toolbox_of(ground)
        return await Outages(tools, Watch(tools)).make_up(outage)
