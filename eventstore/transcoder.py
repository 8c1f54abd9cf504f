"""Events to bytes and back: flat canonical JSON (sorted keys, no spaces, UTF-8), compiled once per class of event.

`originator_id` and `originator_version` are columns of the log, not part of the state. Decoding is strict: a field too
many, one too few or one of another type is not the event that was recorded.
"""

import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import NamedTuple, NoReturn, TypeVar, cast
from uuid import UUID

import msgspec
from eventsourcing.utils import get_topic

import domain
from domain.aggregate import Aggregate
from domain.errors import DetailedError, EscrowError
from domain.event import CreatedEvent, Event
from eventstore.converter import JSON, Fields, Record, record_of

COLUMNS = frozenset({"originator_id", "originator_version"})
E = TypeVar("E")


class Unencodable(EscrowError):
    """An event holds a value that its annotations, JSON or PostgreSQL do not allow."""

    code = "unencodable"
    status = 500


class Undecodable(DetailedError):
    """An event in the log cannot be decoded; nothing that depends on it can go on."""

    code = "undecodable"
    status = 500


class Upcaster(NamedTuple):
    """How the recorded fields of an old topic become those of `topic`."""

    topic: str
    convert: Callable[[Fields], Fields]


UPCASTERS: dict[str, Upcaster] = {}
"""By old topic; what an upcaster names may itself be an old topic. None so far: each new shape became a class of its
own, beside the old one. When an old class goes, its topic comes here, and what it recorded is read in the new shape."""


def encode(event: Event) -> bytes:
    """Return the state of the event as it stands in the log; raise `Unencodable`."""
    try:
        state = _record_of(type(event)).encode(vars(event))
        if b"\\u0000" in state:
            _refuse_nul(parse(state))
        return state
    except (TypeError, ValueError, KeyError, msgspec.EncodeError) as error:
        raise Unencodable(topic=type(event).TOPIC, reason=str(error)) from error


def decode(topic: str, state: bytes, stream_id: UUID, version: int, position: int | None = None) -> Event:
    """Return the recorded event; raise `Undecodable` naming position and topic."""
    try:
        current, newest = _upcast(topic, state) if topic in UPCASTERS else (topic, state)
        return _build(_record_of(find_event_class(current)), newest, stream_id, version)
    except (TypeError, ValueError, KeyError, RecursionError) as error:
        raise Undecodable(position=position, topic=topic, reason=f"{type(error).__name__}: {error}") from error


def parse(state: bytes) -> Fields:
    """Return the fields as plain JSON; raise `ValueError` for all but one object without fractions."""
    if not state.endswith(b"}"):
        raise ValueError("the state is not one JSON object")
    return _parse(state)


def find_event_class(topic: str) -> type[Event]:
    """Return the class with this TOPIC; raise `KeyError`. Never imports what a topic names: the log is only data."""
    found = _event_classes().get(topic)
    return found if found is not None else list_event_classes()[topic]


def list_event_classes() -> Mapping[str, type[Event]]:
    """Return every class of event that there is now, by topic."""
    _event_classes.cache_clear()
    _aggregate_topics.cache_clear()
    return _event_classes()


def _upcast(topic: str, state: bytes) -> tuple[str, bytes]:
    """The topic and state that the newest program would have recorded."""
    fields = parse(state)
    while (upcaster := UPCASTERS.get(topic)) is not None:
        topic, fields = upcaster.topic, upcaster.convert(fields)
    return topic, msgspec.json.encode(fields, order="sorted")


def _build(record: Record[Event], state: bytes, stream_id: UUID, version: int) -> Event:
    event = object.__new__(record.kind)
    values = record.decode(state)
    values["originator_id"], values["originator_version"] = stream_id, version
    object.__setattr__(event, "__dict__", values)  # events are frozen
    if isinstance(event, CreatedEvent) and event.originator_topic not in _aggregate_topics():
        raise ValueError(f"no aggregate is called {event.originator_topic!r}")
    return event


@cache
def _record_of(kind: type[E]) -> Record[E]:
    return record_of(kind, without=COLUMNS)


def _refuse_nul(value: JSON) -> None:
    """PostgreSQL's text and jsonb cannot hold NUL; an escaped backslash before "u0000" is harmless."""
    match value:
        case str() if "\x00" in value:
            raise ValueError("a text holds NUL")
        case dict():
            _refuse_nul([*value, *value.values()])
        case list():
            for item in value:
                _refuse_nul(item)
        case _:
            pass


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a whole number")


_parse = cast("Callable[[bytes], Fields]", msgspec.json.Decoder(dict, float_hook=_refuse_number).decode)


@cache
def _event_classes() -> Mapping[str, type[Event]]:
    _import_domain()
    return {kind.TOPIC: kind for kind in _descend(Event) if "TOPIC" in kind.__dict__}


@cache
def _aggregate_topics() -> frozenset[str]:
    return frozenset(get_topic(kind) for kind in _descend(Aggregate) if "TOPIC" in kind.__dict__)


@cache
def _import_domain() -> None:
    """An event is known once its module is imported, so import every one."""
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        import_module(module.name)


def _descend(root: type[E]) -> list[type[E]]:
    return [root, *(found for child in root.__subclasses__() for found in _descend(child))]
