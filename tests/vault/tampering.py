"""Ciphertexts that somebody touched, and a pepper that grows while it is used."""

from collections.abc import Iterator

from vault.pepper import Pepper
from vault.secret import Secret


def flip_each_byte(value: bytes) -> Iterator[bytes]:
    """Every copy of `value` with one byte changed, and one shorter and one longer."""
    for index in range(len(value)):
        yield value[:index] + bytes([value[index] ^ 1]) + value[index + 1 :]
    yield value[:-1]
    yield value + b"\0"


class GrowingPepper(Pepper):
    """Each time anybody asks which version is current there is one more, as in the middle of a rotation."""

    __slots__ = ("_asked",)
    _asked: Iterator[int]

    def __init__(self, *keys: Secret) -> None:
        super().__init__(dict(enumerate(keys, start=1)))
        object.__setattr__(self, "_asked", iter(self.keys))

    @property
    def current(self) -> int:
        return next(self._asked)
