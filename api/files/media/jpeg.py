"""JPEG (ITU T.81): segments between markers, scans of coded data, and nothing after the end of the image."""

import re

from api.files.media.structure import Data, Steps, require, require_pixels, unpack

SIGNATURE = b"\xff\xd8\xff"
START, END, SCAN = 0xD8, 0xD9, 0xDA
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
RESTARTS = frozenset(range(0xD0, 0xD8))
# In a scan FF is followed by 00 or a restart, else a segment begins.
NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


def check(data: Data) -> None:
    """Raise MediaDamaged or ImageTooLarge, IndexError or struct.error where it is cut off."""
    steps, at, marker, has_frame, has_scan = Steps(), 2, START, False, False
    while marker != END:
        steps.take()
        require(data[at] == 0xFF)  # noqa: PLR2004
        marker = data[at + 1]
        at += 2 if marker != 0xFF else 1  # noqa: PLR2004 - fill bytes before a marker
        if marker in {END, 0xFF} or marker in RESTARTS:
            continue
        require(marker not in {0, START})
        (length,) = unpack(">H", data, at)
        require(length >= 2 and at + length <= len(data))  # noqa: PLR2004
        if marker in FRAMES:
            height, width = unpack(">HH", data, at + 3)
            require_pixels(width, height)
            has_frame = True
        at += length
        if marker == SCAN:
            require(has_frame)
            has_scan = True
            at = _skip_scan(data, at)
    require(has_scan and at == len(data))


def _skip_scan(data: Data, at: int) -> int:
    found = NEXT_MARKER.search(data, at)
    require(found is not None)
    return found.start() if found else at
