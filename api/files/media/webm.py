"""WebM (RFC 8794 and the WebM container guidelines): an EBML header, then one segment with a video track."""

from collections.abc import Iterator
from typing import NamedTuple

from api.files.media.structure import Data, Steps, require

SIGNATURE = b"\x1a\x45\xdf\xa3"
EBML, SEGMENT, DOCTYPE = 0x1A45DFA3, 0x18538067, 0x4282
INFO, TRACKS, CLUSTER = 0x1549A966, 0x1654AE6B, 0x1F43B675
TRACK, TRACK_TYPE, VIDEO = 0xAE, 0x83, b"\x01"
CHILDREN = frozenset({INFO, TRACKS, CLUSTER, 0x114D9B74, 0x1C53BB6B, 0x1254C367, 0x1043A770, 0xEC, 0xBF})
"""What a segment may hold: not the attachments that Matroska knows."""
LONGEST_ID, LONGEST_SIZE = 4, 8


class Element(NamedTuple):
    """One element: its content stands from `start` to before `end`; recorders leave the end of the last one open."""

    id: int
    start: int
    end: int
    is_open: bool


def check(data: Data) -> None:
    """Raise MediaDamaged, IndexError where it is cut off."""
    steps = Steps()
    outer = list(_elements(data, 0, len(data), steps))
    require([each.id for each in outer] == [EBML, SEGMENT])
    header, segment = outer
    names = [each for each in _elements(data, header.start, header.end, steps) if each.id == DOCTYPE]
    require([data[each.start : each.end] for each in names] == [b"webm"])
    children = list(_elements(data, segment.start, segment.end, steps))
    kinds = {child.id for child in children}
    require({INFO, TRACKS, CLUSTER} <= kinds <= CHILDREN)
    require(any(_has_video(data, child, steps) for child in children if child.id == TRACKS))


def _has_video(data: Data, tracks: Element, steps: Steps) -> bool:
    entries = [each for each in _elements(data, tracks.start, tracks.end, steps) if each.id == TRACK]
    inner = [each for entry in entries for each in _elements(data, entry.start, entry.end, steps)]
    return any(each.id == TRACK_TYPE and data[each.start : each.end] == VIDEO for each in inner)


def _elements(data: Data, at: int, end: int, steps: Steps) -> Iterator[Element]:
    """Yield elements that fill the place exactly. Raises MediaDamaged when they do not."""
    while at < end:
        steps.take()
        first = data[at]
        id_bytes = 9 - first.bit_length()
        require(first > 0 and id_bytes <= LONGEST_ID)
        found = int.from_bytes(data[at : at + id_bytes], "big")
        at += id_bytes
        size_bytes = 9 - data[at].bit_length()
        require(size_bytes <= LONGEST_SIZE)
        mask = (1 << (7 * size_bytes)) - 1
        size = int.from_bytes(data[at : at + size_bytes], "big") & mask
        at += size_bytes
        is_open = size == mask
        require(is_open or size <= end - at)
        require(not is_open or found in {SEGMENT, CLUSTER})
        stop = end if is_open else at + size
        yield Element(found, at, stop, is_open)
        at = stop
