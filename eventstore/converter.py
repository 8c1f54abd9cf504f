"""One annotation of an event's field to and from JSON: the text is canonical, and decoding is strict.

Decoding builds values directly, without `__init__` and `__post_init__`: a rule of the domain that is tightened later
must not make the past unloadable.
"""

import base64
import dataclasses
import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from json.encoder import encode_basestring
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
from uuid import UUID, SafeUUID

JSON: TypeAlias = "str | int | bool | list[JSON] | dict[str, JSON] | None"
Fields = dict[str, JSON]
T = TypeVar("T")


class _NamedTuple(Protocol):
    """What `typing.NamedTuple` makes of a class."""

    def __init__(self, *parts: object) -> None: ...

    def __getitem__(self, place: int) -> object: ...


class _Dataclass(Protocol):
    """What `dataclasses.dataclass` makes of a class."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[object]]]


class Converter(NamedTuple):
    """How one type becomes JSON text, and how parsed JSON becomes that type; both raise `TypeError` or `ValueError`."""

    to_text: Callable[[object], str]
    from_json: Callable[[JSON], object]


class UnsupportedAnnotation(TypeError):
    """The log knows no canonical form for this type: a defect of the class that is annotated with it."""


def converter_for(annotation: object) -> Converter:
    """Return the converter of a field annotated so; raise `UnsupportedAnnotation`."""
    if (simple := _SIMPLE.get(annotation)) is not None:
        return simple
    if isinstance(annotation, NewType):
        return converter_for(annotation.__supertype__)
    if get_origin(annotation) in (UnionType, Union):
        return _optional(annotation)
    if get_origin(annotation) is tuple:
        return _sequence(annotation)
    if isinstance(annotation, type):
        return _class(annotation)
    raise UnsupportedAnnotation(annotation)


class Record(Generic[T]):
    """The fields of a class as one JSON object with sorted keys; `left_out` are stored elsewhere."""

    def __init__(self, kind: type[T], annotations: dict[str, Converter]) -> None:
        """Compile the text around the values once."""
        self.kind = kind
        self.names = sorted(annotations)
        self._template = "{" + ",".join(f"{encode_basestring(name)}:%s" for name in self.names) + "}"
        self._writers = [(name, annotations[name].to_text) for name in self.names]
        self._readers = [(name, annotations[name].from_json) for name in self.names]

    def to_text(self, values: dict[str, object]) -> str:
        """Return the canonical JSON object."""
        return self._template % tuple([to_text(values[name]) for name, to_text in self._writers])

    def from_json(self, fields: Fields) -> dict[str, object]:
        """Return the typed values; raise `ValueError` naming fields that are missing or too many."""
        if len(fields) != len(self._readers):
            raise self._mismatch(fields)
        try:
            return {name: from_json(fields[name]) for name, from_json in self._readers}
        except KeyError:
            raise self._mismatch(fields) from None

    def _mismatch(self, fields: Fields) -> ValueError:
        return ValueError(f"missing or extra fields: {sorted(fields.keys() ^ set(self.names))}")


def record_of(kind: type[T], without: frozenset[str] = frozenset()) -> Record[T]:
    """Compile a dataclass from its annotations."""
    hints = cast("dict[str, object]", get_type_hints(kind))
    names = [field.name for field in dataclasses.fields(cast("type[_Dataclass]", kind)) if field.name not in without]
    return Record(kind, {name: converter_for(hints[name]) for name in names})


def _text_from_json(value: JSON) -> str:
    if type(value) is str:
        return value
    raise TypeError(f"{value!r} is not a text")


def _int_to_text(value: object) -> str:
    if type(value) is int:
        return repr(value)
    raise TypeError(f"{value!r} is not a whole number")


def _int_from_json(value: JSON) -> int:
    if type(value) is int:
        return value
    raise TypeError(f"{value!r} is not a whole number")


def _bool_to_text(value: object) -> str:
    if type(value) is bool:
        return "true" if value else "false"
    raise TypeError(f"{value!r} is not a truth value")


def _bool_from_json(value: JSON) -> bool:
    if type(value) is bool:
        return value
    raise TypeError(f"{value!r} is not a truth value")


def _none_to_text(value: object) -> str:
    if value is None:
        return "null"
    raise TypeError(f"{value!r} is not None")


def _none_from_json(value: JSON) -> None:
    if value is not None:
        raise TypeError(f"{value!r} is not null")


def _uuid_to_text(value: object) -> str:
    if isinstance(value, UUID):
        return f'"{value}"'
    raise TypeError(f"{value!r} is not a UUID")


_CANONICAL_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch


_make, _assign, _UNKNOWN = object.__new__, object.__setattr__, SafeUUID.unknown


def _uuid_from_json(value: JSON) -> UUID:
    if type(value) is not str or _CANONICAL_UUID(value) is None:
        raise ValueError(f"{value!r} is not a canonical UUID")
    made = _make(UUID)  # twice as fast as UUID(text), and a rebuild makes millions of them
    _assign(made, "int", int(value.replace("-", ""), 16))
    _assign(made, "is_safe", _UNKNOWN)
    return made


@lru_cache(maxsize=64)  # the events of a command share their time
def _datetime_to_text(value: object) -> str:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError(f"{value!r} is not a datetime with a time zone")
    utc = value if value.tzinfo is UTC else value.astimezone(UTC)
    return f'"{utc.isoformat("T", "microseconds")[:26]}Z"'


_DATETIME_LENGTH = len("2026-01-01T00:00:00.000000Z")


def _datetime_from_json(value: JSON) -> datetime:
    text = _text_from_json(value)
    if len(text) != _DATETIME_LENGTH or text[10] != "T" or text[-1] != "Z":
        raise ValueError(f"{value!r} is not a UTC time with microseconds")
    return datetime.fromisoformat(text)


def _bytes_to_text(value: object) -> str:
    if type(value) is bytes:
        return f'"{base64.b64encode(value).decode()}"'
    raise TypeError(f"{value!r} is not bytes")


def _bytes_from_json(value: JSON) -> bytes:
    text = _text_from_json(value)
    decoded = base64.b64decode(text, validate=True)
    if base64.b64encode(decoded).decode() != text:
        raise ValueError("not canonical base64")
    return decoded


_SIMPLE: dict[object, Converter] = {
    str: Converter(cast("Callable[[object], str]", encode_basestring), _text_from_json),
    int: Converter(_int_to_text, _int_from_json),
    bool: Converter(_bool_to_text, _bool_from_json),
    None: Converter(_none_to_text, _none_from_json),
    NoneType: Converter(_none_to_text, _none_from_json),
    UUID: Converter(_uuid_to_text, _uuid_from_json),
    datetime: Converter(_datetime_to_text, _datetime_from_json),
    bytes: Converter(_bytes_to_text, _bytes_from_json),
}


def _optional(annotation: object) -> Converter:
    inner, *others = [part for part in _arguments(annotation) if part is not NoneType]
    if others:
        raise UnsupportedAnnotation(annotation)
    item = converter_for(inner)

    def to_text(value: object) -> str:
        return "null" if value is None else item.to_text(value)

    def from_json(value: JSON) -> object:
        return None if value is None else item.from_json(value)

    return Converter(to_text, from_json)


def _sequence(annotation: object) -> Converter:
    first, *others = _arguments(annotation)
    if others != [Ellipsis]:
        raise UnsupportedAnnotation(annotation)
    item = converter_for(first)

    def to_text(value: object) -> str:
        if not isinstance(value, tuple):
            raise TypeError(f"{value!r} is not a tuple")
        return f"[{','.join([item.to_text(part) for part in cast('tuple[object, ...]', value)])}]"

    def from_json(value: JSON) -> tuple[object, ...]:
        return tuple([item.from_json(part) for part in _list(value)])

    return Converter(to_text, from_json)


def _arguments(annotation: object) -> tuple[object, ...]:
    return cast("tuple[object, ...]", get_args(annotation))


def _list(value: JSON) -> list[JSON]:
    if type(value) is list:
        return value
    raise TypeError(f"{value!r} is not a list")


def _class(kind: type[object]) -> Converter:
    if issubclass(kind, StrEnum):
        return _enumeration(kind)
    if hasattr(kind, "_fields"):
        return _named_tuple(cast("type[_NamedTuple]", kind))
    if is_frozen(kind):
        return _frozen_dataclass(kind)
    raise UnsupportedAnnotation(kind)


def is_frozen(kind: type[object]) -> bool:
    """Whether this is a dataclass whose values never change."""
    parameters = cast("object", getattr(kind, "__dataclass_params__", None))
    return getattr(parameters, "frozen", False) is True


def _enumeration(kind: type[StrEnum]) -> Converter:
    texts: dict[object, str] = {member: encode_basestring(member.value) for member in kind}
    members: dict[JSON, StrEnum] = {member.value: member for member in kind}

    def to_text(value: object) -> str:
        if (text := texts.get(value)) is None:
            raise ValueError(f"{value!r} is not a {kind.__name__}")
        return text

    def from_json(value: JSON) -> StrEnum:
        if type(value) is not str or (member := members.get(value)) is None:
            raise ValueError(f"{value!r} is not a {kind.__name__}")
        return member

    return Converter(to_text, from_json)


def _named_tuple(kind: "type[_NamedTuple]") -> Converter:
    hints = cast("dict[str, object]", get_type_hints(kind))
    parts = [converter_for(hints[name]) for name in cast("tuple[str, ...]", getattr(kind, "_fields"))]  # noqa: B009
    template = f"[{','.join(['%s'] * len(parts))}]"
    writers = [(place, part.to_text) for place, part in enumerate(parts)]
    readers = [part.from_json for part in parts]
    make = cast("Callable[[list[object]], object]", getattr(kind, "_make"))  # noqa: B009

    def to_text(value: object) -> str:
        if type(value) is not kind:
            raise TypeError(f"{value!r} is not a {kind.__name__}")
        return template % tuple([write(value[place]) for place, write in writers])

    def from_json(value: JSON) -> object:
        items = _list(value)
        if len(items) != len(readers):
            raise ValueError(f"{value!r} is not a {kind.__name__}")
        return make([read(item) for read, item in zip(readers, items, strict=True)])

    return Converter(to_text, from_json)


def _frozen_dataclass(kind: type[object]) -> Converter:
    record = record_of(kind)

    def to_text(value: object) -> str:
        if type(value) is not kind:
            raise TypeError(f"{value!r} is not a {kind.__name__}")
        return record.to_text({name: getattr(value, name) for name in record.names})

    def from_json(value: JSON) -> object:
        if type(value) is not dict:
            raise TypeError(f"{value!r} is not an object")
        made = object.__new__(kind)
        for name, item in record.from_json(value).items():
            object.__setattr__(made, name, item)  # frozen, and perhaps with slots
        return made

    return Converter(to_text, from_json)
