"""Places in the past: a position of the log, or a time, as query parameters and options name them."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from api.http.query import DIGITS, QueryInvalid, read_if_given, read_moment, read_whole
from database.connect import Pool
from eventstore.log import END, get_head, get_position_at

BEGINNING = datetime.min.replace(tzinfo=UTC)
TICK = timedelta(microseconds=1)
"""The smallest step of the times in the log."""


class Period(NamedTuple):
    """Events with after < position <= until."""

    after: int
    until: int


async def find_position(pool: Pool, text: str, now: datetime) -> int:
    """Return the position that `as_of` names, by number or by time. Raises QueryInvalid for the future."""
    if not DIGITS.fullmatch(text):
        moment = read_moment(text)
        if moment > now:
            raise QueryInvalid
        return await get_position_at(pool, moment)
    position = read_whole(text)
    if position > await get_head(pool):
        raise QueryInvalid
    return position


async def find_period(pool: Pool, since: str | None, until: str | None) -> Period:
    """Return what was recorded from `since` on and before `until`, so that periods side by side share nothing.

    Raises QueryInvalid, also when it ends before it begins.
    """
    begin, end = (read_if_given(read_moment, text) for text in (since, until))
    if begin is not None and end is not None and begin >= end:
        raise QueryInvalid
    return Period(
        after=0 if begin is None else await _position_before(pool, begin),
        until=END if end is None else await _position_before(pool, end),
    )


async def _position_before(pool: Pool, moment: datetime) -> int:
    """Return the position of the newest event recorded before a time; there is none before the first of all times."""
    return 0 if moment == BEGINNING else await get_position_at(pool, moment - TICK)
