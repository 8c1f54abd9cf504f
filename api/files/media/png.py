"""PNG (RFC 2083): a signature, then chunks with checksums, the last of which is IEND."""

import zlib

from api.files.media.structure import Data, Steps, require, require_pixels, unpack

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_BYTES = 13
AROUND_BYTES = 12


def check(data: Data) -> None:
    """Raise MediaDamaged or ImageTooLarge, struct.error where it is cut off."""
    steps, at, kinds = Steps(), len(SIGNATURE), [b""]
    while kinds[-1] != b"IEND":
        steps.take()
        (length,) = unpack(">I", data, at)
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (checksum,) = unpack(">I", data, at + 8 + length)
        require(kind.isalpha() and zlib.crc32(content, zlib.crc32(kind)) == checksum)
        require((kind == b"IHDR") == (len(kinds) == 1))
        if kind == b"IHDR":
            require(length == HEADER_BYTES)
            require_pixels(*unpack(">II", content, 0))
        kinds.append(kind)
        at += AROUND_BYTES + length
    require(b"IDAT" in kinds and at == len(data))
