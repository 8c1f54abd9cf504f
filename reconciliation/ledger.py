"""Reading our own books at one position of the log: what is judged, and the totals, are of the same moment."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, cast

from database.connect import Pool
from database.queries import load
from domain.errors import EscrowError
from domain.journal import Account
from domain.transaction.chargeback import ForeignChargebackSeen, ForeignChargebackSeenUnnamed
from eventstore.log import get_head, get_position_at, read_after
from projections.ledger import LEDGER
from projections.reached import get_reached
from reconciliation.finding import GRACE, Place
from reconciliation.records import WATCHED, BookedLine, Records

SQL = load("reconciliation", "ledger.sql")
PAGE = 5_000
TOPICS = LEDGER.topics | {ForeignChargebackSeenUnnamed.TOPIC, ForeignChargebackSeen.TOPIC}
"""What moves money, and what explains why the processor moved some that is not booked."""


class LedgerBehind(EscrowError):
    """The ledger tables are behind the log; run `escrow worker` until they have caught up."""

    code = "ledger_behind"
    status = 503


class Cut(NamedTuple):
    """Our books at a position."""

    position: int
    records: Records
    totals: Mapping[Place, int]


async def read_cut(pool: Pool, since: datetime, now: datetime) -> Cut:
    """Return what the log says since then, and the totals, up to its head.

    The totals are those of the ledger tables and what the log has since. Raises `LedgerBehind` when the tables lack
    what is older than the grace period.
    """
    folded, newest = await _position(pool, now), await get_head(pool)
    records, totals = Records(), Counter(await _totals(pool, folded))
    after = min(folded, await get_position_at(pool, since))
    while events := await read_after(pool, after, PAGE, sorted(TOPICS), until=newest):
        records.fold((event.position, event.event) for event in events)
        after = events[-1].position
    _add(totals, (line for line in records.lines if line.position > folded))
    return Cut(newest, records, totals)


async def find_pages(pool: Pool, references: Sequence[str]) -> frozenset[str]:
    """Return those of these references under which a payment page of ours was opened: one can ask about them."""
    async with pool.connection() as connection:
        rows = await (await connection.execute(SQL.find_pages, {"references": list(references)})).fetchall()
    return frozenset(cast("str", row[0]) for row in rows)


def _add(totals: Counter[Place], lines: Iterable[BookedLine]) -> None:
    for line in lines:
        totals[line.account, line.currency] += line.amount_minor


async def _position(pool: Pool, now: datetime) -> int:
    position = await get_reached(pool, [LEDGER.name])
    unfolded = await read_after(pool, position, 1)
    if unfolded and unfolded[0].event.timestamp < now - GRACE:
        raise LedgerBehind(position=position)
    return position


async def _totals(pool: Pool, position: int) -> dict[Place, int]:
    parameters = {"accounts": sorted(account.value for account in WATCHED), "position": position}
    async with pool.connection() as connection:
        rows = await (await connection.execute(SQL.sum_accounts, parameters)).fetchall()
    return {(Account(cast("str", row[0])), cast("str", row[1])): cast("int", row[2]) for row in rows}
