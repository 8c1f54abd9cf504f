"""Reading the structure of a file that somebody else has made: every length is a claim."""

import struct
from mmap import mmap

from api.files.media.errors import ImageTooLarge, MediaDamaged

Data = bytes | mmap
"""What is looked at: in memory, or mapped into it."""

MOST_PIXELS = 50_000_000
LONGEST_SIDE = 30_000
MOST_PARTS = 50_000
"""More segments, chunks, boxes or elements than any camera writes: looking at them all would keep a processor busy."""


def require(fits: bool) -> None:
    """Raise MediaDamaged unless it fits."""
    if not fits:
        raise MediaDamaged


def require_pixels(width: int, height: int) -> None:
    """Raise ImageTooLarge for what would need too much memory to be shown, and MediaDamaged for nothing."""
    require(width > 0 and height > 0)
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise ImageTooLarge


def unpack(form: str, data: Data, at: int) -> tuple[int, ...]:
    """Return whole numbers in the form of `struct`. Raises struct.error beyond the end."""
    return struct.unpack_from(form, data, at)


class Steps:
    """Counts the parts of a file. Raises MediaDamaged when there are too many."""

    def __init__(self) -> None:
        """Begin with none."""
        self._taken = 0

    def take(self) -> None:
        """One more."""
        self._taken += 1
        require(self._taken <= MOST_PARTS)
