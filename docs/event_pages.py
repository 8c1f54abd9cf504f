"""The page about events: every TOPIC, what it means, and its own fields."""

from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum
from inspect import cleandoc, get_annotations
from types import NoneType, UnionType
from typing import get_args, get_origin
from uuid import UUID

from docs.field_meanings import MEANINGS, OWN_MEANINGS
from domain.event import CreatedEvent, Event, MoneyEvent

PLAIN = {UUID: "uuid", str: "text", int: "integer", bool: "true or false", bytes: "base64", datetime: "time"}
MOST_WORDS = 8
"""A field that takes more of them than this is shown by the name of its type."""
COMMON = frozenset(Event.__annotations__)


def list_event_kinds() -> list[type[Event]]:
    """Return every event that is stored, in the order of their topics; the rooms must have been imported."""
    return sorted({kind for kind in _descend(Event) if "TOPIC" in kind.__dict__}, key=lambda kind: kind.TOPIC)


def _descend(kind: type[Event]) -> Iterator[type[Event]]:
    for child in kind.__subclasses__():
        if child.__module__.split(".")[0] == "domain":
            yield child
        yield from _descend(child)


def fields_of(kind: type[Event]) -> dict[str, object]:
    """Return the fields of an event besides those that all have."""
    found: dict[str, object] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("domain"):
            found |= get_annotations(base)
    own = {name: kind for name, kind in found.items() if name not in COMMON and "ClassVar" not in str(kind)}
    return {name: own[name] for name in sorted(own, key=lambda name: name in {"currency", "postings"})}


def type_of(kind: object) -> str:
    """Return the type in the words of the JSON that is stored."""
    if isinstance(kind, UnionType):
        return " or null".join(type_of(each) for each in get_args(kind) if each is not NoneType) + " or null"
    if get_origin(kind) is tuple:
        return f"list of {type_of(get_args(kind)[0])}"
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return (
            "one of " + ", ".join(f"`{each.value}`" for each in kind)
            if len(kind) <= MOST_WORDS
            else kind.__name__.lower()
        )
    if isinstance(kind, type):
        return PLAIN.get(kind, {"Posting": "posting"}.get(kind.__name__, "object"))
    return str(kind)


def render_events(page: Callable[[str, str, list[str]], str]) -> str:
    """Return the page."""
    blocks = [line for kind in list_event_kinds() for line in _block(kind)]
    return page(
        "Events",
        """Every type of event that the log can hold. A type is never renamed and its fields never change their meaning;
a new shape is a new type. How the bytes look is in [the format of the log](log-format.md), which also lists the fields
that every event has: `timestamp`, `actor_id`, `actor_role`, `command_id`, `request_digest`, `request_id`.

"Starts a stream" marks the first event of an aggregate. "Moves money" marks events with balanced `postings`.""",
        blocks,
    )


def _block(kind: type[Event]) -> Iterator[str]:
    yield from ["", f"## `{kind.TOPIC}`", "", " ".join(cleandoc(kind.__doc__ or "").split())]
    marks = ["Starts a stream."] if issubclass(kind, CreatedEvent) else []
    fields = fields_of(kind)
    if issubclass(kind, MoneyEvent) or "postings" in fields:
        marks.append("Moves money.")
    if marks:
        yield from ["", " ".join(marks)]
    if fields:
        yield from ["", "| field | type | meaning |", "|---|---|---|"]
        for name, shape in fields.items():
            meaning = OWN_MEANINGS.get((kind.TOPIC, name)) or MEANINGS.get(name, "")
            yield f"| `{name}` | {type_of(shape)} | {meaning} |"
