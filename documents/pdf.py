"""A plain document in PDF: one font, lines of fixed width, and for the same lines the same bytes.

Nothing in it depends on when, where or by whom it was made: its date is given, its id is a hash of its content, it uses
one of the fonts that every reader has, and it is not compressed, so that a text search finds what it says.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from textwrap import wrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdf import FPDF

WIDTH = 96
LINES_PER_PAGE = 66
MEDIA_TYPE = "application/pdf"
_PLAIN = "text/plain"
_PRODUCER = "Escrow ledger"
_FONT, _SIZE = "Courier", 8.8
_TOP, _LEFT, _LEADING = 50, 40, 11.5
_SHOWN = re.compile(rb"\((.*)\) Tj ET$", re.MULTILINE)
_ESCAPED = re.compile(rb"\\([\\()])")
_SHOWABLE = frozenset(map(chr, (*range(0x20, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))))
"""What Latin-1 and the font both have; a soft hyphen and the space that does not break would be taken for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file inside the document, for those who want its exact bytes."""

    name: str
    content: bytes


def write_pdf(lines: Sequence[str], *, title: str, at: datetime, attachment: Attachment | None = None) -> bytes:
    """Return the lines as a PDF on A4 pages, dated `at`.

    What is longer than a line is wrapped; a character that the font has not is written as its number: `<U+0416>`.
    """
    from fpdf import FPDF  # with its fonts it takes a third of a second, and most who come here write no document

    pdf = FPDF(unit="pt", format="A4")
    pdf.set_compression(False)
    pdf.set_auto_page_break(False)
    pdf.set_creation_date(at)
    pdf.set_producer(_PRODUCER)
    pdf.set_title(_spelled(title))
    pdf.set_font(_FONT, size=_SIZE)
    for page in list(_pages(lines)) or [[]]:
        pdf.add_page()
        for number, line in enumerate(page):
            pdf.text(_LEFT, _TOP + number * _LEADING, line)
    if attachment is not None:
        _attach(pdf, attachment, at)
    return bytes(pdf.output())


def read_lines(pdf: bytes) -> list[str]:
    """Return the lines that a document of ours shows, as they were broken; nothing of what another program wrote."""
    return [_ESCAPED.sub(rb"\1", line).decode("latin-1") for line in _SHOWN.findall(pdf)]


def break_lines(lines: Sequence[str]) -> list[str]:
    """Return the lines as a document shows them."""
    return [part for line in lines for part in _broken(line)]


def show_time(at: datetime) -> str:
    """Return a moment, which is given in UTC, as documents show it."""
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _attach(pdf: "FPDF", attachment: Attachment, at: datetime) -> None:
    pdf.embed_file(
        bytes=attachment.content,
        basename=attachment.name,
        mime_type=_PLAIN,
        creation_date=at,
        modification_date=at,
        compress=False,
        checksum=True,
    )


def _pages(lines: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(break_lines(lines))
    while page := list(islice(rest, LINES_PER_PAGE)):
        yield page


def _broken(line: str) -> list[str]:
    """Break between words where there are any; what follows is indented like the beginning."""
    spelled = _spelled(line)
    indent = " " * (len(spelled) - len(spelled.lstrip(" ")))
    if len(spelled) <= WIDTH:
        return [spelled]
    return wrap(spelled, WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""]


def _spelled(text: str) -> str:
    return "".join(each if each in _SHOWABLE else f"<U+{ord(each):04X}>" for each in text)
