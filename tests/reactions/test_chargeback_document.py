"""The PDF: its table of places is right, its text is what was given, and nothing but ASCII gets in."""

import re

import pytest

from reactions.chargeback_document import LINES_PER_PAGE, WIDTH, write_pdf

SHOWN = re.compile(rb"^\((.*)\) Tj T\*$", re.MULTILINE)


def shown(pdf: bytes) -> list[str]:
    unescaped = (re.sub(rb"\\(.)", rb"\1", line) for line in SHOWN.findall(pdf))
    return [line.decode() for line in unescaped]


@pytest.mark.parametrize("count", [0, 1, LINES_PER_PAGE, LINES_PER_PAGE + 1, 3 * LINES_PER_PAGE])
def test_every_object_is_where_the_table_says(count: int) -> None:
    pdf = write_pdf([f"line {number}" for number in range(count)])
    start = int(pdf.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    header, *entries = pdf[start:].split(b"trailer")[0].split(b"\n")[1:-1]
    assert header == b"0 %d" % len(entries)
    for number, entry in enumerate(entries[1:], start=1):
        assert len(entry) == len(b"0000000000 65535 f ")
        assert pdf[int(entry[:10]) :].startswith(b"%d 0 obj\n" % number)
    pages = max(1, -(-count // LINES_PER_PAGE))
    assert b"/Count %d " % pages in pdf
    assert pdf.count(b"/Type /Page /") == pages


def test_every_stream_is_as_long_as_it_says() -> None:
    pdf = write_pdf(["a (b) \\ c"] * 100)
    for length, content in re.findall(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", pdf, re.DOTALL):
        assert int(length) == len(content)


def test_the_text_is_what_was_given() -> None:
    lines = ["", "plain", "round (brackets) and a back\\slash", "x" * WIDTH]
    assert shown(write_pdf(lines)) == lines


def test_long_lines_are_wrapped_and_what_is_no_ascii_is_a_question_mark() -> None:
    assert shown(write_pdf(["y" * (WIDTH + 3), "caf\u00e9\n\x00"])) == ["y" * WIDTH, "yyy", "caf???"]
    words = "    " + "words and " * 20
    lines = shown(write_pdf([words]))
    assert max(map(len, lines)) <= WIDTH
    assert all(line.startswith("    ") for line in lines)
    assert " ".join(lines).split() == words.split()


def test_the_same_lines_are_the_same_bytes() -> None:
    assert write_pdf(["one", "two"]) == write_pdf(["one", "two"])
    assert write_pdf(["one", "two"]) != write_pdf(["one", "twa"])
