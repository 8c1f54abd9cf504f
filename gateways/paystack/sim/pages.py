"""Lists of the stand-in: filters, numbered pages and cursors, newest first."""

import base64
import binascii
from collections.abc import Mapping, Sequence

from gateways.payment import JsonObject
from gateways.paystack.payload import as_integer, integer, moment
from gateways.paystack.sim.calls import Answer, Call, Refusal, good

DEFAULT_PER_PAGE = 50
MAX_PER_PAGE = 100
Row = Mapping[str, object]


def fits(call: Call, **facts: object) -> bool:
    """Tell whether an object has what the query asks of these fields; other fields of the query do not count."""
    return all(str(value) == call.query[name] for name, value in facts.items() if name in call.query)


def page(call: Call, message: str, rows: Sequence[Row]) -> Answer:
    """One page of rows given oldest first, within `from` and `to`; with `use_cursor` by cursor instead of number."""
    chosen = [row for row in reversed(rows) if _is_within(call, row)]
    per_page = min(_number(call, "perPage", DEFAULT_PER_PAGE), MAX_PER_PAGE)
    if call.query.get("use_cursor") == "true":
        return _by_cursor(call, message, chosen, per_page)
    return _by_number(call, message, chosen, per_page)


def _by_number(call: Call, message: str, rows: Sequence[Row], per_page: int) -> Answer:
    """The counts in `meta` are strings here and there, as in the real thing."""
    number = _number(call, "page", 1)
    meta = {"total": len(rows), "skipped": (number - 1) * per_page, "perPage": str(per_page), "page": number}
    meta["pageCount"] = -(-len(rows) // per_page)
    return good(message, rows[(number - 1) * per_page : number * per_page], meta=meta)


def _by_cursor(call: Call, message: str, rows: Sequence[Row], per_page: int) -> Answer:
    """A cursor names the object that the page before ended with: what is created meanwhile shifts nothing."""
    after, before = _cursor(call, "next"), _cursor(call, "previous")
    older = [row for row in rows if after is None or _id(row) < after]
    newer = [row for row in older if before is None or _id(row) > before]
    shown = newer[-per_page:] if before is not None else newer[:per_page]
    has_more = bool(shown) and _id(rows[-1]) < _id(shown[-1])
    has_less = bool(shown) and _id(rows[0]) > _id(shown[0])
    meta = {"next": _name(shown[-1]) if has_more else None, "previous": _name(shown[0]) if has_less else None}
    return good(message, shown, meta={**meta, "perPage": per_page})


def _name(row: Row) -> str:
    return base64.urlsafe_b64encode(f"cursor:{_id(row)}".encode()).decode()


def _cursor(call: Call, name: str) -> int | None:
    if name not in call.query:
        return None
    try:
        kind, _, number = base64.urlsafe_b64decode(call.query[name]).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        kind, number = "", ""
    if kind != "cursor" or as_integer(number) is None:
        raise Refusal("Invalid cursor", "invalid_params")
    return as_integer(number)


def _id(row: Row) -> int:
    return integer(row, "id") or 0


def _number(call: Call, name: str, default: int) -> int:
    return max(as_integer(call.query.get(name)) or default, 1)


def _is_within(call: Call, row: JsonObject) -> bool:
    created_at, since, until = moment(row, "createdAt"), moment(call.query, "from"), moment(call.query, "to")
    if created_at is None:
        return True
    return (since is None or since <= created_at) and (until is None or created_at <= until)
