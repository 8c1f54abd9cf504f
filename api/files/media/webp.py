"""WebP (RFC 9649): one RIFF container as long as the file, with chunks of known kinds."""

from api.files.media.structure import Data, Steps, require, require_pixels, unpack

KINDS = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP "})
PICTURES = frozenset({b"VP8 ", b"VP8L", b"ANMF"})
FIRST_CHUNK = 12
SIDE_BITS = 0x3FFF


def check(data: Data) -> None:
    """Raise MediaDamaged or ImageTooLarge, struct.error where it is cut off."""
    steps, at = Steps(), FIRST_CHUNK
    require(unpack("<I", data, 4) == (len(data) - 8,))
    kinds: set[bytes] = set()
    while at < len(data):
        steps.take()
        kind, (length,) = data[at : at + 4], unpack("<I", data, at + 4)
        require(kind in KINDS and at + 8 + length <= len(data))
        require(bool(kinds) or kind in {b"VP8X", b"VP8 ", b"VP8L"})
        _check_size(kind, data, at + 8)
        kinds.add(kind)
        at += 8 + length + length % 2
    require(at == len(data) and not kinds.isdisjoint(PICTURES))


def _check_size(kind: bytes, data: Data, at: int) -> None:
    """Look at the sides of the canvas, or of the picture."""
    if kind == b"VP8X":
        require_pixels(_three_bytes(data, at + 4) + 1, _three_bytes(data, at + 7) + 1)
    elif kind == b"ANMF":
        require_pixels(_three_bytes(data, at + 6) + 1, _three_bytes(data, at + 9) + 1)
    elif kind == b"VP8 ":
        require(data[at + 3 : at + 6] == b"\x9d\x01\x2a")
        width, height = unpack("<HH", data, at + 6)
        require_pixels(width & SIDE_BITS, height & SIDE_BITS)
    elif kind == b"VP8L":
        require(data[at] == 0x2F)  # noqa: PLR2004
        (bits,) = unpack("<I", data, at + 1)
        require_pixels((bits & SIDE_BITS) + 1, (bits >> 14 & SIDE_BITS) + 1)


def _three_bytes(data: Data, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")
