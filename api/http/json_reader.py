"""JSON read strictly: what two readers could understand differently, or PostgreSQL refuses, is refused at the door."""

import json
import math
import re
from typing import NoReturn, cast

from api.errors import MalformedJson, TextUnfit

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]
Object = dict[str, JSON]

DEEPEST = 32
CONTROLS = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"
"""Control characters but tab and line break, as a part of a regular expression in Python and in JSON Schema."""
UNFIT = re.compile(rf"[{CONTROLS}\ud800-\udfff]")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_json(raw: bytes) -> Object:
    """Return the one object in `raw`. Raises MalformedJson, or TextUnfit for a text in it that nothing could keep."""
    try:
        text = raw.decode("utf-8")
        value = cast("JSON", _DECODER.decode(text))
    except (ValueError, RecursionError):
        raise MalformedJson from None
    if raw.startswith(BYTE_ORDER_MARK) or not isinstance(value, dict):
        raise MalformedJson
    # One search of the whole text finds what stands in it raw, as U+009B may; only an escape can hide more.
    if UNFIT.search(text):
        raise TextUnfit
    if b"\\" in raw or raw.count(b"[") + raw.count(b"{") > DEEPEST:
        _check(value, 1)
    return value


def _check(value: JSON, depth: int) -> None:
    match value:
        case str():
            if UNFIT.search(value):
                raise TextUnfit
        case dict():
            _check_depth(depth)
            for key, member in value.items():
                _check(key, depth)
                _check(member, depth + 1)
        case list():
            _check_depth(depth)
            for member in value:
                _check(member, depth + 1)
        case _:
            pass


def _check_depth(depth: int) -> None:
    if depth > DEEPEST:
        raise MalformedJson


def _refuse_constant(_text: str) -> NoReturn:
    raise MalformedJson


def _read_number(text: str) -> float:
    """A number with a fraction or an exponent; none that overflows."""
    number = float(text)
    if not math.isfinite(number):
        raise MalformedJson
    return number


def _read_object(pairs: list[tuple[str, JSON]]) -> Object:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedJson
    return members


_DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_read_number, object_pairs_hook=_read_object, strict=True
)
