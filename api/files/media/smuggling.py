"""One file that is two things: whoever looks at it with another program than the sender expects sees something else."""

import re

from api.files.media.structure import Data, unpack

HEAD_BYTES = 1024
"""How far browsers and readers look for what something might be."""
MARKUP = re.compile(rb"<(!doctype|html|head|body|script|svg|iframe|\?php)", re.IGNORECASE)
PDF_START = b"%PDF-"
ZIP_END = b"PK\x05\x06"
ZIP_END_BYTES = 22
LONGEST_COMMENT = 0xFFFF


def is_two_things(data: Data, *, is_pdf: bool) -> bool:
    """Whether the file could also be read as a page, a document or an archive."""
    head = data[:HEAD_BYTES]
    return MARKUP.search(head) is not None or (PDF_START in head and not is_pdf) or _ends_as_archive(data)


def _ends_as_archive(data: Data) -> bool:
    """A ZIP archive is found by its end, whatever stands before it."""
    start = max(0, len(data) - ZIP_END_BYTES - LONGEST_COMMENT)
    at = data.find(ZIP_END, start)
    while at != -1 and at + ZIP_END_BYTES <= len(data):
        (comment,) = unpack("<H", data, at + 20)
        if at + ZIP_END_BYTES + comment == len(data):
            return True
        at = data.find(ZIP_END, at + 1)
    return False
