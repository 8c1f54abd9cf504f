"""Lists of many pages: complete, or `GatewayUncertain`. https://paystack.com/docs/api/pagination/

Lists come newest first: what is created while we read moves lines to a later page, where they are seen twice, never
missed. So a list is complete when we have as many as there were when we began, or, where no total is given, when a page
is empty; a short page proves nothing, because the server may give fewer than were asked for.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from gateways.errors import GatewayUncertain
from gateways.paystack.http import PaystackHttp
from gateways.paystack.payload import JsonObject, child, integer, is_list, is_object, require_integer, text

T = TypeVar("T")
Query = Mapping[str, str | int]
PAGE_SIZE = 100
_MAX_PAGES = 1_000
_CLOCK_MARGIN = timedelta(hours=1)
_EMPTY: JsonObject = {}


async def list_all(
    http: PaystackHttp, path: str, parse: Callable[[JsonObject], T], query: Query | None = None, *, cursor: bool = False
) -> dict[int, T]:
    """GET every page and return the objects by id; `cursor` asks for pages by cursor instead of by number.

    A list that answers with a cursor is followed by it, whatever was asked for.
    """
    found: dict[int, T] = {}
    total: int | None = None
    place: Query = {"use_cursor": "true"} if cursor else {"page": 1}
    for number in range(1, _MAX_PAGES + 1):
        lines, meta = await _page(http, path, {"perPage": PAGE_SIZE, **(query or {}), **place})
        before = len(found)
        found.update({require_integer(line, "id"): parse(line) for line in lines})
        total = _total(meta, len(found)) if number == 1 else total
        following = text(meta, "next")
        cursor = cursor or following is not None
        if following is None and (cursor or _is_complete(total, len(found), lines)):
            return found
        if len(found) == before:
            raise GatewayUncertain(f"the list {path} repeats itself or breaks off")
        place = {"page": number + 1} if following is None else {"use_cursor": "true", "next": following}
    raise GatewayUncertain(f"the list {path} has more than {_MAX_PAGES} pages")


def window(since: datetime) -> Query:
    """Return the query for what was created since then, and in the hour before because the clocks are two."""
    return {"from": _iso(since - _CLOCK_MARGIN)}


async def _page(http: PaystackHttp, path: str, query: Query) -> tuple[Sequence[JsonObject], JsonObject]:
    envelope = await http.get(path, query)
    lines = envelope.get("data")
    if not is_list(lines):
        raise GatewayUncertain(f"what {path} returned is not a list")
    return [line if is_object(line) else _EMPTY for line in lines], child(envelope, "meta")


def _total(meta: JsonObject, seen: int) -> int | None:
    """Return how many there are; None where the first page alone has more, because then it counts something else."""
    total = integer(meta, "total")
    return None if total is None or total < seen else total


def _is_complete(total: int | None, found: int, lines: Sequence[JsonObject]) -> bool:
    return not lines if total is None else found >= total


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
