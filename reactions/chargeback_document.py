"""A plain document in PDF: one font, lines of fixed width, and for the same lines the same bytes.

PDF 1.4, https://opensource.adobe.com/dc-acrobat-sdk-docs/pdfstandards/pdfreference1.4.pdf. No date, no producer, no
compression: nothing in it depends on when, where or with what it was made.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from textwrap import wrap

WIDTH = 92
LINES_PER_PAGE = 66
_TOP, _LEFT, _LEADING, _SIZE = 800, 45, 11, 9
_PAGE = "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >>"
_ESCAPES = str.maketrans({"\\": r"\\", "(": r"\(", ")": r"\)"})


def write_pdf(lines: Sequence[str]) -> bytes:
    """Return the lines as a PDF on A4 pages; what is longer than a line is wrapped, what is not ASCII becomes "?"."""
    pages = list(_pages(lines)) or [[]]
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        _page_tree(len(pages)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        objects.append(f"<< {_PAGE} /Contents {_content_number(number)} 0 R >>".encode())
        objects.append(_stream(page))
    return _file(objects)


def _pages(lines: Sequence[str]) -> Iterator[list[str]]:
    rest = (part for line in lines for part in _broken(line))
    while page := list(islice(rest, LINES_PER_PAGE)):
        yield page


def _broken(line: str) -> list[str]:
    """Break between words where there are any; what follows is indented like the beginning."""
    clean = "".join(character if character.isascii() and character.isprintable() else "?" for character in line)
    indent = " " * (len(clean) - len(clean.lstrip()))
    return wrap(clean, WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""]


def _page_tree(count: int) -> bytes:
    kids = " ".join(f"{_content_number(number) - 1} 0 R" for number in range(count))
    return f"<< /Type /Pages /Count {count} /Kids [{kids}] >>".encode()


def _content_number(page: int) -> int:
    """Catalog, page tree and font come first; then each page and its content."""
    return 5 + 2 * page


def _stream(page: Sequence[str]) -> bytes:
    shown = "\n".join(f"({line.translate(_ESCAPES)}) Tj T*" for line in page)
    content = f"BT\n/F1 {_SIZE} Tf\n{_LEADING} TL\n{_LEFT} {_TOP} Td\n{shown}\nET"
    return f"<< /Length {len(content)} >>\nstream\n{content}\nendstream".encode("ascii")


def _file(objects: Sequence[bytes]) -> bytes:
    """Put the objects one after the other, and where each begins into the table at the end."""
    made, places = b"%PDF-1.4\n", list[int]()
    for number, content in enumerate(objects, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    trailer = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(made)}\n%%EOF\n"
    return made + f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode()
