"""Query parameters and ids, in one spelling each: what is given twice, unknown or spelt otherwise is refused."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.types import Scope

from api.errors import HeaderInvalid
from domain.errors import Invalid

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

DIGITS = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
LARGEST_POSITION = 2**63 - 1
UUID_SCHEMA = {"type": "string", "format": "uuid", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}


class QueryInvalid(Invalid):
    """A query parameter is unknown here, given twice, or not in the form that the documentation gives."""

    code = "query_invalid"


def read_query(scope: Scope, *known: str) -> dict[str, str]:
    """Return the query parameters by name. Raises QueryInvalid for one that is given twice or not `known`."""
    raw: bytes = scope["query_string"]
    if not raw:
        return {}
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise QueryInvalid from None
    found = dict(pairs)
    if len(found) != len(pairs) or not found.keys() <= set(known):
        raise QueryInvalid
    return found


def read_flag(text: str | None) -> bool:
    """Return what `true` or `false` says; False when absent. Raises QueryInvalid."""
    if text not in {None, "true", "false"}:
        raise QueryInvalid
    return text == "true"


def read_choice(kind: type[E], text: str | None) -> E | None:
    """Return the word of an enumeration, None when absent. Raises QueryInvalid for any other."""
    try:
        return None if text is None else kind(text)
    except ValueError:
        raise QueryInvalid from None


def read_whole(text: str) -> int:
    """Return a whole number in plain ASCII digits, without sign or leading zero. Raises QueryInvalid."""
    if not DIGITS.fullmatch(text) or int(text) > LARGEST_POSITION:
        raise QueryInvalid
    return int(text)


def read_limit(text: str | None, default: int = 20) -> int:
    """Return how many rows are wanted, 1 to 100. Raises QueryInvalid."""
    limit = default if text is None else read_whole(text)
    if not 1 <= limit <= 100:  # noqa: PLR2004
        raise QueryInvalid
    return limit


def read_moment(text: str) -> datetime:
    """Return an RFC 3339 time, in UTC. Raises QueryInvalid, also for one without an offset."""
    if not MOMENT.fullmatch(text):
        raise QueryInvalid
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise QueryInvalid from None


def read_if_given(read: Callable[[str], T], text: str | None) -> T | None:
    """Return what `read` makes of a parameter, None when it is absent. Raises what `read` raises."""
    return None if text is None else read(text)


def read_id(text: str | None) -> UUID | None:
    """Return the id in canonical form, None when absent. Raises QueryInvalid."""
    found = None if text is None else parse_id(text)
    if text is not None and (found is None or str(found) != text):
        raise QueryInvalid
    return found


def read_position_header(text: str | None) -> int | None:
    """Return the position in a Wait-For-Position header; None when absent. Raises HeaderInvalid."""
    if text is None:
        return None
    try:
        return read_whole(text)
    except QueryInvalid:
        raise HeaderInvalid from None


def parse_id(text: str) -> UUID | None:
    """Return the UUID in any of the spellings that Python takes; None for anything else."""
    if not text.isascii():
        return None
    try:
        return UUID(text)
    except ValueError:
        return None
