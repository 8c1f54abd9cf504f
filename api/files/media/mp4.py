"""MP4 (ISO/IEC 14496-12): boxes that fill the file, an index, and at least one track that is a video."""

from collections.abc import Iterator
from typing import NamedTuple

from api.files.media.structure import Data, Steps, require, unpack

BRANDS = frozenset(
    {b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41", b"mp42", b"avc1"}
    | {b"M4V ", b"M4VH", b"M4VP", b"MSNV", b"dash", b"cmfc", b"3gp4", b"3gp5"}
)
KINDS = frozenset(
    {b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"free", b"skip", b"wide", b"uuid", b"meta", b"sidx", b"styp"}
    | {b"ssix", b"prft", b"emsg", b"pdin", b"udta"}
)


class Box(NamedTuple):
    """One box: its content stands from `start` to before `end`."""

    kind: bytes
    start: int
    end: int


def check(data: Data) -> None:
    """Raise MediaDamaged, struct.error where it is cut off."""
    steps = Steps()
    boxes = list(_boxes(data, 0, len(data), steps))
    kinds = {box.kind for box in boxes}
    require(boxes[0].kind == b"ftyp" and kinds <= KINDS)
    require(data[boxes[0].start : boxes[0].start + 4] in BRANDS)
    require(b"moov" in kinds and not kinds.isdisjoint({b"mdat", b"moof"}))
    index = next(box for box in boxes if box.kind == b"moov")
    tracks = [box for box in _boxes(data, index.start, index.end, steps) if box.kind == b"trak"]
    require(any(_is_video(data, track, steps) for track in tracks))


def _is_video(data: Data, track: Box, steps: Steps) -> bool:
    media = [box for box in _boxes(data, track.start, track.end, steps) if box.kind == b"mdia"]
    inner = [box for one in media for box in _boxes(data, one.start, one.end, steps)]
    return any(box.kind == b"hdlr" and data[box.start + 8 : box.start + 12] == b"vide" for box in inner)


def _boxes(data: Data, at: int, end: int, steps: Steps) -> Iterator[Box]:
    """Yield boxes that fill the place exactly. Raises MediaDamaged when they do not."""
    while at < end:
        steps.take()
        (size,), kind, head = unpack(">I", data, at), data[at + 4 : at + 8], 8
        if size == 1:
            (size,), head = unpack(">Q", data, at + 8), 16
        size = size or end - at
        require(head <= size <= end - at)
        yield Box(kind, at + head, at + size)
        at += size
