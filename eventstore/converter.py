"""The fields of a class as one canonical JSON object, compiled from its annotations; both ways are strict.

The library msgspec parses and checks types in C, but is lenient here and there: capital letters in a UUID, spaces, keys
in any order. So each way is checked by the other one: what is read must give the same bytes when it is written again,
and what is written must be equal when it is read again. Values are built without `__init__` and `__post_init__`: a rule
of the domain that is tightened later must not make the past unloadable.
"""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from types import NoneType, UnionType
from typing import (
    ClassVar,
    Generic,
    NamedTuple,
    NewType,
    Protocol,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)
from uuid import UUID

import msgspec

JSON: TypeAlias = "str | int | bool | list[JSON] | dict[str, JSON] | None"
Fields = dict[str, JSON]
T = TypeVar("T")
Convert = Callable[[object], object]

SIMPLE: frozenset[object] = frozenset({str, int, bool, NoneType, UUID, bytes})


class _Dataclass(Protocol):
    """What `dataclasses.dataclass` makes of a class."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[object]]]


class Bridge(NamedTuple):
    """From a value to what stands for it in JSON, and back; both raise `TypeError` or `ValueError`."""

    to_json: Convert
    from_json: Convert


class Form(NamedTuple):
    """What an annotation is for msgspec; without a bridge its values are what msgspec reads and writes itself."""

    annotation: object
    bridge: Bridge | None = None


class UnsupportedAnnotation(TypeError):
    """The log knows no canonical form for this type: a defect of the class that is annotated with it."""


def form_of(annotation: object) -> Form:
    """Return the form of a field annotated so; raise `UnsupportedAnnotation`."""
    if annotation in SIMPLE or annotation is None:
        return Form(annotation)
    if annotation is datetime:
        return Form(str, Bridge(_datetime_to_text, _datetime_from_text))
    if isinstance(annotation, NewType):
        return form_of(annotation.__supertype__)
    if get_origin(annotation) in (UnionType, Union):
        return _optional(annotation)
    if get_origin(annotation) is tuple:
        return _sequence(annotation)
    if isinstance(annotation, type):
        return _class(annotation)
    raise UnsupportedAnnotation(annotation)


class Record(Generic[T]):
    """The fields of a class as one JSON object with sorted keys."""

    def __init__(self, kind: type[T], forms: dict[str, Form]) -> None:
        """Compile once what reads and writes them."""
        self.kind = kind
        self.names = sorted(forms)
        fields = [(name, forms[name].annotation) for name in self.names]
        self.struct = msgspec.defstruct(kind.__name__, fields, forbid_unknown_fields=True, gc=False)
        self._read = msgspec.json.Decoder(self.struct).decode
        self._bridges = [(name, bridge) for name in self.names if (bridge := forms[name].bridge) is not None]

    def encode(self, values: dict[str, object]) -> bytes:
        """Return the canonical JSON object; raise `TypeError`, `ValueError` or `KeyError`."""
        struct = self.to_struct(values)
        state = _write(struct)
        if (again := self._read(state)) != struct:
            raise TypeError(f"would come back as {again!r}")
        return state

    def decode(self, state: bytes) -> dict[str, object]:
        """Return the typed values; raise `TypeError` or `ValueError`."""
        struct = self._read(state)
        if _write(struct) != state:
            raise ValueError("the state is not canonical JSON")
        return self.to_values(struct)

    def to_struct(self, values: dict[str, object]) -> msgspec.Struct:
        """Return what msgspec writes."""
        struct = self.struct(*[values[name] for name in self.names])
        for name, bridge in self._bridges:
            setattr(struct, name, bridge.to_json(values[name]))
        return struct

    def to_values(self, struct: msgspec.Struct) -> dict[str, object]:
        """Return the values of what msgspec has read."""
        values = cast("dict[str, object]", msgspec.structs.asdict(struct))
        for name, bridge in self._bridges:
            values[name] = bridge.from_json(values[name])
        return values


def record_of(kind: type[T], without: frozenset[str] = frozenset()) -> Record[T]:
    """Compile a dataclass from its annotations; `without` are fields that are stored elsewhere."""
    hints = cast("dict[str, object]", get_type_hints(kind))
    names = [field.name for field in dataclasses.fields(cast("type[_Dataclass]", kind)) if field.name not in without]
    return Record(kind, {name: form_of(hints[name]) for name in names})


_write = msgspec.json.Encoder().encode


def text_of(value: UUID | datetime) -> str:
    """Return the text that PostgreSQL reads, made in C: several times as fast as `str` and `isoformat`."""
    return _write(value).decode()[1:-1]


_LENGTH = len("2026-01-01T00:00:00.000000Z")


def _datetime_to_text(value: object) -> str:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError(f"{value!r} is not a datetime with a time zone")
    text = text_of(value if value.tzinfo is UTC else value.astimezone(UTC))
    return text if len(text) == _LENGTH else f"{text[:19]}.000000Z"  # msgspec leaves a fraction of zero out


def _datetime_from_text(value: object) -> datetime:
    text = cast("str", value)  # msgspec has seen to that
    if len(text) != _LENGTH or not text[4] == text[7] == "-" or text[10] + text[19] + text[26] != "T.Z":
        raise ValueError(f"{value!r} is not a UTC time with microseconds")
    return datetime.fromisoformat(text)


def _optional(annotation: object) -> Form:
    inner, *others = [part for part in _arguments(annotation) if part is not NoneType]
    if others:
        raise UnsupportedAnnotation(annotation)
    form, bridge = form_of(inner)
    whole = Union[form, None]  # noqa: UP007 - made at run time
    return Form(whole, bridge and Bridge(_unless_none(bridge.to_json), _unless_none(bridge.from_json)))


def _sequence(annotation: object) -> Form:
    first, *others = _arguments(annotation)
    if others != [Ellipsis]:
        raise UnsupportedAnnotation(annotation)
    form, bridge = form_of(first)
    return Form(tuple[form, ...], bridge and Bridge(_for_each(bridge.to_json), _for_each(bridge.from_json)))


def _unless_none(convert: Convert) -> Convert:
    return lambda value: None if value is None else convert(value)


def _for_each(convert: Convert) -> Convert:
    return lambda value: tuple([convert(item) for item in cast("tuple[object, ...]", value)])


def _arguments(annotation: object) -> tuple[object, ...]:
    return cast("tuple[object, ...]", get_args(annotation))


def _class(kind: type[object]) -> Form:
    if issubclass(kind, StrEnum):
        return Form(kind)
    if hasattr(kind, "_fields"):
        return _named_tuple(kind)
    if is_frozen(kind):
        return _frozen_dataclass(kind)
    raise UnsupportedAnnotation(kind)


def _named_tuple(kind: type[object]) -> Form:
    if any(form_of(hint).bridge is not None for hint in cast("dict[str, object]", get_type_hints(kind)).values()):
        raise UnsupportedAnnotation(kind)
    return Form(kind)


def is_frozen(kind: type[object]) -> bool:
    """Whether this is a dataclass whose values never change."""
    parameters = cast("object", getattr(kind, "__dataclass_params__", None))
    return getattr(parameters, "frozen", False) is True


def _frozen_dataclass(kind: type[object]) -> Form:
    record = record_of(kind)

    def to_json(value: object) -> object:
        if type(value) is not kind:
            raise TypeError(f"{value!r} is not a {kind.__name__}")
        return record.to_struct({name: getattr(value, name) for name in record.names})

    def from_json(value: object) -> object:
        made = object.__new__(kind)
        for name, item in record.to_values(cast("msgspec.Struct", value)).items():
            object.__setattr__(made, name, item)  # frozen, and perhaps with slots
        return made

    return Form(record.struct, Bridge(to_json, from_json))
