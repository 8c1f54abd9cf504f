"""Arrays in PostgreSQL's binary format, packed at once: psycopg's own dumper calls Python for every element, which
would cost more than everything else that an append does in this process."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import ClassVar
from uuid import UUID

from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HEADER = Struct(">iiIii")
_LENGTH = Struct(">i")
_INT4 = Struct(">ii")
_INT8 = Struct(">iq")
_NO_ELEMENTS = Struct(">iiI")


class Array(bytes):
    """The binary form of a one-dimensional array; each subclass is one type of element."""

    element_oid: ClassVar[int]
    array_oid: ClassVar[int]


class Int4s(Array):
    """An `int[]`."""

    element_oid, array_oid = 23, 1007


class Int8s(Array):
    """A `bigint[]`."""

    element_oid, array_oid = 20, 1016


class Texts(Array):
    """A `text[]`."""

    element_oid, array_oid = 25, 1009


class Bytes(Array):
    """A `bytea[]`."""

    element_oid, array_oid = 17, 1001


class Uuids(Array):
    """A `uuid[]`."""

    element_oid, array_oid = 2950, 2951


class Times(Array):
    """A `timestamptz[]`."""

    element_oid, array_oid = 1184, 1185


def pack_int4s(values: Sequence[int]) -> Int4s:
    """Return the array of these 32-bit integers."""
    return Int4s(_frame(Int4s, len(values), [_INT4.pack(4, value) for value in values]))


def pack_int8s(values: Sequence[int]) -> Int8s:
    """Return the array of these 64-bit integers."""
    return Int8s(_frame(Int8s, len(values), [_INT8.pack(8, value) for value in values]))


def pack_texts(values: Sequence[str]) -> Texts:
    """Return the array of these texts."""
    encoded = [value.encode() for value in values]
    return Texts(_frame(Texts, len(values), [_LENGTH.pack(len(value)) + value for value in encoded]))


def pack_bytes(values: Sequence[bytes]) -> Bytes:
    """Return the array of these byte strings."""
    return Bytes(_frame(Bytes, len(values), [_LENGTH.pack(len(value)) + value for value in values]))


def pack_uuids(values: Sequence[UUID]) -> Uuids:
    """Return the array of these UUIDs."""
    return Uuids(_frame(Uuids, len(values), [b"\x00\x00\x00\x10" + value.bytes for value in values]))


def pack_times(values: Sequence[datetime]) -> Times:
    """Return the array of these moments, which must have a time zone."""
    return Times(_frame(Times, len(values), [_INT8.pack(8, (value - _EPOCH) // _MICROSECOND) for value in values]))


def _frame(kind: type[Array], count: int, elements: Iterable[bytes]) -> bytes:
    if count == 0:
        return _NO_ELEMENTS.pack(0, 0, kind.element_oid)
    return _HEADER.pack(1, 0, kind.element_oid, count, 1) + b"".join(elements)


def register_arrays(connection: AdaptContext) -> None:
    """Let this connection take the arrays as parameters."""
    for kind in (Int4s, Int8s, Texts, Bytes, Uuids, Times):
        connection.adapters.register_dumper(kind, type(f"{kind.__name__}Dumper", (_Dumper,), {"oid": kind.array_oid}))


class _Dumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Buffer) -> Buffer:
        return obj
