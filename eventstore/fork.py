"""A copy of an aggregate to decide on, so that a refused or failed command leaves the cached one untouched.

`apply` assigns to attributes and may change lists, dicts and sets in place; what is inside tuples, frozen dataclasses
and enums never changes and is shared. `copy.deepcopy` would take ten times as long as the rest of a command.
"""

import copy
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import TypeVar, cast
from uuid import UUID

from domain.aggregate import Aggregate
from eventstore.converter import is_frozen

A = TypeVar("A", bound=Aggregate)
V = TypeVar("V")

_SHARED: set[type[object]] = {
    type(None), bool, int, str, bytes, float, tuple, frozenset,
    UUID, datetime, date, time, timedelta, Decimal,
}  # fmt: skip


def fork(aggregate: A) -> A:
    """Return an aggregate that can be changed without changing this one."""
    kind = type(aggregate)
    made = kind.__new__(kind)
    values: dict[str, object] = vars(aggregate)
    vars(made).update(values)
    vars(made).update({name: _copy(value) for name, value in values.items() if type(value) not in _SHARED})
    return made


def _copy(value: object) -> object:
    kind = type(value)
    if kind in _SHARED:
        return value
    if (container := _CONTAINERS.get(kind)) is not None:
        return container(value)
    if isinstance(value, (Enum, tuple)) or is_frozen(kind):
        _SHARED.add(kind)
        return cast("object", value)
    return copy.deepcopy(value)


def _copy_list(value: object) -> object:
    return [_copy(item) for item in cast("list[object]", value)] if value else []


def _copy_dict(value: object) -> object:
    return {key: _copy(item) for key, item in cast("dict[object, object]", value).items()} if value else {}


def _copy_set(value: object) -> object:
    return set(cast("set[object]", value))


def _copy_counter(value: object) -> object:
    made: dict[object, int] = Counter[object]()
    dict.update(made, cast("Counter[object]", value))  # pyright: ignore[reportUnknownMemberType] Counter's is slower
    return made


_CONTAINERS: dict[type[object], Callable[[object], object]] = {
    list: _copy_list,
    dict: _copy_dict,
    set: _copy_set,
    Counter: _copy_counter,
}
