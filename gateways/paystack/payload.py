"""Read Paystack's payloads tolerantly: the same fact comes as an int, a string, null, or under two spellings.

Readers return None for what is absent or unusable; `require_…` raise `GatewayUncertain` for what a decision about money
needs, because an answer that cannot be read is no answer.
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeGuard, TypeVar

from gateways.errors import GatewayUncertain, WrongMode
from gateways.payment import JsonObject, Mode

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_LARGEST = 10**18
_EMPTY: JsonObject = {}
Word = TypeVar("Word", bound=StrEnum)


def is_object(value: object) -> TypeGuard[JsonObject]:
    """Tell whether a decoded JSON value is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Tell whether a decoded JSON value is an array."""
    return isinstance(value, list)


class NotJson(ValueError):
    """Not JSON in UTF-8, nested too deeply, or with NaN or numbers of thousands of digits in it."""


def decode(raw: bytes) -> object:
    """Decode JSON with decimals instead of floats; raise `NotJson`."""
    try:
        return json.loads(raw, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise NotJson(type(error).__name__) from None


def text(data: JsonObject, *names: str) -> str | None:
    """Return the first of these fields that is a string with something in it."""
    values = (data.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value), None)


def integer(data: JsonObject, *names: str) -> int | None:
    """Return the first of these fields that is a whole number, also when written as a string; never a bool."""
    numbers = (as_integer(data.get(name)) for name in names)
    return next((number for number in numbers if number is not None), None)


def as_integer(value: object) -> int | None:
    """Return 5000 for 5000, "5000" and 5000.0; None for all else."""
    match value:
        case bool():
            return None
        case int():
            return value if abs(value) < _LARGEST else None
        case str():
            return int(value) if _INTEGER.fullmatch(value) else None
        case Decimal():
            return int(value) if value.is_finite() and abs(value) < _LARGEST and value == int(value) else None
        case _:
            return None


def boolean(data: JsonObject, *names: str) -> bool | None:
    """Return the first of these fields that is a bool or one of the ints 0 and 1."""
    values = (data.get(name) for name in names)
    return next((bool(value) for value in values if isinstance(value, int) and value in (0, 1)), None)


def moment(data: JsonObject, *names: str) -> datetime | None:
    """Return the first of these fields that is an ISO 8601 time, in UTC; one without a zone counts as UTC."""
    values = (text(data, name) for name in names)
    times = (_parse_time(value) for value in values if value is not None)
    return next((at for at in times if at is not None), None)


def child(data: JsonObject, name: str) -> JsonObject:
    """Return that field if it is an object, else an empty one: metadata comes as 0, "", null or an object."""
    value = data.get(name)
    return value if is_object(value) else _EMPTY


def word(kind: type[Word], value: object, otherwise: Word) -> Word:
    """Return the enum member of that value, or `otherwise` for a word we have not met."""
    return next((member for member in kind if member.value == value), otherwise)


def mode(data: JsonObject) -> Mode | None:
    """Return whether the object lives in test or live mode; None when it does not say."""
    return next((member for member in Mode if member.value == data.get("domain")), None)


def require_mode(envelope: JsonObject, expected: Mode) -> JsonObject:
    """Return the envelope; raise `WrongMode` if an object in it, its charge or its recipient is of the other.

    What names no mode passes: balances and banks have none. A word never met is not ours.
    """
    data = envelope.get("data")
    objects = [line for line in (data if is_list(data) else [data]) if is_object(line)]
    about = [child(line, name) for line in objects for name in ("transaction", "recipient")]
    words = {line.get("domain") for line in [*objects, *about] if isinstance(line.get("domain"), str)}
    if words - {expected.value, ""}:
        raise WrongMode(f"an answer outside {expected.value} mode")
    return envelope


def require_text(data: JsonObject, *names: str) -> str:
    """Return the text of the first such field; raise `GatewayUncertain` without one."""
    value = text(data, *names)
    if value is None:
        raise GatewayUncertain(f"the answer lacks {names[0]}")
    return value


def require_integer(data: JsonObject, *names: str) -> int:
    """Return the whole number of the first such field; raise `GatewayUncertain` without one."""
    value = integer(data, *names)
    if value is None:
        raise GatewayUncertain(f"the answer lacks a whole number in {names[0]}")
    return value


def require_currency(data: JsonObject) -> str:
    """Return the currency in capitals; raise `GatewayUncertain` without one."""
    return require_text(data, "currency").upper()


def _parse_time(value: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _refuse_constant(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")
