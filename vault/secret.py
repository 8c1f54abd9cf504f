"""Bytes that do not show themselves."""

import hmac
from typing import NoReturn


class Secret:
    """Key or plaintext in memory. `repr`, `str` and `format` give only the length; pickling and copying fail.

    Python cannot wipe memory: a secret lives until it is collected, so keep references short.
    """

    __slots__ = ("_value",)
    __hash__ = None  # pyright: ignore[reportAssignmentType] a secret must not become a dictionary key

    def __init__(self, value: bytes) -> None:
        """Wrap `value`."""
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """The bytes themselves; the only way to them, so that a search for `reveal()` finds every use."""
        return self._value

    def __len__(self) -> int:
        """Number of bytes."""
        return len(self._value)

    def __repr__(self) -> str:
        """Never the content."""
        return f"Secret({len(self._value)} bytes)"

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled."""
        raise TypeError("a secret is not serialised")
