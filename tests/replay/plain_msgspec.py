"""The little of msgspec that the product uses, in plain Python, for a Python that msgspec was not compiled for.

It shares nothing with the real one: that both write the same bytes and read the same values says something of both.
"""

import base64
import json
import sys
from collections.abc import Callable
from enum import StrEnum
from types import ModuleType, NoneType, UnionType
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID


class DecodeError(ValueError):
    """The bytes are not what they should be."""


class EncodeError(Exception):
    """The value has no form in JSON."""


class Struct:
    """Fields in a fixed order."""

    fields: ClassVar[dict[str, Any]] = {}

    def __init__(self, *values: object) -> None:
        vars(self).update(zip(self.fields, values, strict=True))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


def defstruct(name: str, fields: list[tuple[str, object]], **_: bool) -> type[Struct]:
    """A class with these fields and no others."""
    return type(name, (Struct,), {"fields": dict(fields)})


class Encoder:
    """Writes."""

    def encode(self, value: object) -> bytes:
        """Without spaces, in the order of the fields."""
        return dump(value, sort_keys=False)


class Decoder:
    """Reads one type."""

    def __init__(self, annotation: object, float_hook: Callable[[str], object] = float) -> None:
        self.annotation = annotation
        self.float_hook = float_hook

    def decode(self, state: bytes) -> object:
        """One object, or a complaint."""
        return build(self.annotation, json.loads(state, parse_float=self.float_hook))


def dump(value: object, *, sort_keys: bool) -> bytes:
    text = json.dumps(value, default=plain, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys)
    return text.encode()


def plain(value: object) -> object:
    if isinstance(value, Struct):
        return vars(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "isoformat"):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    raise EncodeError(value)


def build(annotation: Any, value: Any) -> object:
    if get_origin(annotation) in {Union, UnionType}:
        inner = next(part for part in get_args(annotation) if part is not NoneType)
        return None if value is None else build(inner, value)
    if get_origin(annotation) is tuple:
        return tuple(build(get_args(annotation)[0], item) for item in check(list, value))
    if hasattr(annotation, "_fields"):
        hints = get_type_hints(annotation)
        parts = zip(annotation._fields, check(list, value), strict=True)
        return annotation._make([build(hints[name], part) for name, part in parts])
    if issubclass(annotation, Struct):
        if check(dict, value).keys() != annotation.fields.keys():
            raise DecodeError(value)
        return annotation(*[build(kind, value[name]) for name, kind in annotation.fields.items()])
    if issubclass(annotation, StrEnum | UUID):
        return annotation(check(str, value))
    return base64.b64decode(check(str, value), validate=True) if annotation is bytes else check(annotation, value)


def check(kind: type[Any], value: Any) -> Any:
    if type(value) is not kind:
        raise DecodeError(value)
    return value


def install() -> None:
    """Let `import msgspec` find this."""
    module = ModuleType("msgspec")
    module.json, module.structs = ModuleType("msgspec.json"), ModuleType("msgspec.structs")  # type: ignore[attr-defined]
    vars(module).update(DecodeError=DecodeError, EncodeError=EncodeError, Struct=Struct, defstruct=defstruct)
    vars(module.json).update(Encoder=Encoder, Decoder=Decoder, encode=lambda value, order: dump(value, sort_keys=True))
    vars(module.structs).update(asdict=lambda struct: dict(vars(struct)))
    sys.modules["msgspec"] = module
