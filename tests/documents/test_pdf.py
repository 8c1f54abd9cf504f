"""The PDF: its table of places is right, its text is what was given, and the same lines are the same bytes."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from documents.pdf import LINES_PER_PAGE, WIDTH, Attachment, break_lines, read_lines, write_pdf

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
ROOT = Path(__file__).parent.parent.parent
SCRIPT = """
from datetime import UTC, datetime
from hashlib import sha256
from documents.pdf import Attachment, write_pdf
at = datetime(2026, 1, 5, 12, tzinfo=UTC)
pdf = write_pdf(["one", "caf\\u00e9"] * 99, title="T", at=at, attachment=Attachment(name="a.txt", content=b"one"))
print(sha256(pdf).hexdigest())
"""


def draw(lines: list[str]) -> bytes:
    return write_pdf(lines, title="A document", at=AT)


@pytest.mark.parametrize("count", [0, 1, LINES_PER_PAGE, LINES_PER_PAGE + 1, 3 * LINES_PER_PAGE])
def test_every_object_is_where_the_table_says(count: int) -> None:
    pdf = draw([f"line {number}" for number in range(count)])
    start = int(pdf.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    header, *entries = pdf[start:].split(b"trailer")[0].split(b"\n")[1:-1]
    assert header == b"0 %d" % len(entries)
    for number, entry in enumerate(entries[1:], start=1):
        assert pdf[int(entry[:10]) :].startswith(b"%d 0 obj\n" % number)
    pages = max(1, -(-count // LINES_PER_PAGE))
    assert b"/Count %d\n" % pages in pdf
    assert pdf.count(b"/Type /Page\n") == pages


def test_every_stream_is_as_long_as_it_says() -> None:
    pdf = draw(["a (b) \\ c"] * 100)
    found = re.findall(rb"/Length (\d+)\n>>\nstream\n(.*?)\nendstream", pdf, re.DOTALL)
    assert found
    for length, content in found:
        assert int(length) == len(content)


def test_the_text_is_what_was_given() -> None:
    lines = ["", "plain", "round (brackets) and a back\\slash", "x" * WIDTH, "caf\u00e9, na\u00efve, \u00a3"]
    assert read_lines(draw(lines)) == lines


def test_long_lines_are_wrapped_and_what_the_font_has_not_is_written_as_its_number() -> None:
    shown = read_lines(draw(["y" * (WIDTH + 3), "\u0416\n\x00\u202e\U0001f600", "a\u00a0b\u00ad"]))
    assert shown == ["y" * WIDTH, "yyy", "<U+0416><U+000A><U+0000><U+202E><U+1F600>", "a<U+00A0>b<U+00AD>"]
    words = "    " + "words and " * 20
    lines = read_lines(draw([words]))
    assert lines == break_lines([words])
    assert max(map(len, lines)) <= WIDTH
    assert all(line.startswith("    ") for line in lines)
    assert " ".join(lines).split() == words.split()


def test_nothing_can_end_a_line_and_begin_an_operator() -> None:
    lines = [") Tj ET\nBT 0 0 Td (forged", "\\) Tj ET", "endstream endobj"]
    assert read_lines(draw(lines)) == [line.replace("\n", "<U+000A>") for line in lines]


def test_an_attachment_is_there_to_the_byte() -> None:
    content = bytes(range(256))
    pdf = write_pdf(["one"], title="T", at=AT, attachment=Attachment(name="all.bin", content=content))
    assert b"stream\n" + content + b"\nendstream" in pdf


def test_the_same_lines_are_the_same_bytes_in_every_process_zone_and_locale() -> None:
    """The hash is of fpdf2 2.8.9: a release that writes other bytes is noticed here, not by whoever kept a contract."""
    found = set[str]()
    for zone, locale, seed in (("UTC", "C", "0"), ("Asia/Kathmandu", "tr_TR.UTF-8", "7")):
        environment = {"TZ": zone, "LC_ALL": locale, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
        )
        found.add(done.stdout.strip())
    assert found == {"64895c6f87887abfd06d9cfcb88dd86af793dbf94e05f0e1db5dc322f0ae2e5d"}
    assert draw(["one", "two"]) != draw(["one", "twa"])
