"""What a file is by what it holds: never by its name, nor by what its sender says.

Nothing is decoded, rendered or executed: headers and the structure around the data are read, and what does not end
where its kind ends is refused, because something else may begin there.
"""

import mmap
import struct
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from api.files.media import jpeg, mp4, pdf, png, smuggling, webm, webp
from api.files.media.errors import FileEmpty, FileTooLarge, MediaDamaged, MediaUnsupported
from api.files.media.structure import Data, require

MEBIBYTE = 1024 * 1024
HEAD_BYTES = 16


class MediaType(StrEnum):
    """The kinds of files that are taken, by their registered media types."""

    PNG = "image/png"
    JPEG = "image/jpeg"
    WEBP = "image/webp"
    PDF = "application/pdf"
    MP4 = "video/mp4"
    WEBM = "video/webm"

    @property
    def kind(self) -> str:
        """Return the word for people: image, document or video."""
        return "document" if self is MediaType.PDF else self.value.partition("/")[0]

    @property
    def extension(self) -> str:
        """Return the usual end of a file name, with its dot."""
        return ".jpg" if self is MediaType.JPEG else f".{self.name.lower()}"


LARGEST_BYTES = {"image": 10 * MEBIBYTE, "document": 20 * MEBIBYTE, "video": 100 * MEBIBYTE}
"""How large a file may be, by its kind."""
LARGEST_FILE = max(LARGEST_BYTES.values())

CHECKS: dict[MediaType, Callable[[Data], None]] = {
    MediaType.PNG: png.check,
    MediaType.JPEG: jpeg.check,
    MediaType.WEBP: webp.check,
    MediaType.PDF: pdf.check,
    MediaType.MP4: mp4.check,
    MediaType.WEBM: webm.check,
}


def recognise(head: bytes) -> MediaType:
    """Return what a file begins like; 16 bytes are enough. Raises MediaUnsupported and FileEmpty."""
    if not head:
        raise FileEmpty
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return MediaType.WEBP
    if head[4:8] == b"ftyp":
        return MediaType.MP4
    for start, found in (
        (png.SIGNATURE, MediaType.PNG),
        (jpeg.SIGNATURE, MediaType.JPEG),
        (pdf.SIGNATURE, MediaType.PDF),
        (webm.SIGNATURE, MediaType.WEBM),
    ):
        if head.startswith(start):
            return found
    raise MediaUnsupported


def require_size(found: MediaType, size_bytes: int) -> None:
    """Raise FileTooLarge for more than a file of this kind may have."""
    limit = LARGEST_BYTES[found.kind]
    if size_bytes > limit:
        raise FileTooLarge(limit_bytes=limit)


def inspect(path: Path) -> MediaType:
    """Return what a file is once all of its structure was looked at; it takes a while for a large one.

    Raises FileEmpty, FileTooLarge, MediaUnsupported, MediaDamaged and ImageTooLarge.
    """
    with path.open("rb") as file:
        if not file.read(1):
            raise FileEmpty
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return inspect_data(data)


def inspect_data(data: Data) -> MediaType:
    """The same for what is in memory."""
    found = recognise(data[:HEAD_BYTES])
    require_size(found, len(data))
    try:
        CHECKS[found](data)
    except (IndexError, struct.error):
        raise MediaDamaged from None
    require(not smuggling.is_two_things(data, is_pdf=found is MediaType.PDF))
    return found
