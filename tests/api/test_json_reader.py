"""What two readers could understand differently is refused at the door."""

import pytest

from api.errors import MalformedJson, TextUnfit
from api.http.json_reader import DEEPEST, read_json


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e400}',
        b'{"a":1e1000000}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff\xfe"}',
        b"\xff\xfe{\x00}\x00",
        b"",
        b"[]",
        b'"x"',
        b"1",
        b"null",
        b"{} x",
        b"{}{}",
        b"// no\n{}",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":01}',
        b'{"a":+1}',
        b'{"a":"\n"}',
        b"{",
        b"[" * 100_000,
        b'{"a":' * 10_000,
    ],
)
def test_what_is_not_one_plain_object_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedJson):
        read_json(raw)


@pytest.mark.parametrize(
    "text",
    [
        "\\u0000",
        "\\ud800",
        "\\udfff",
        "\\u0001",
        "\\u001b[31m",
        "\\u0008",
        "\\u007f",
        "\\u009b31m",
        "\x7f",
        "\x85",
        "\x9f",
    ],
)
@pytest.mark.parametrize("shape", ['{"a":"%s"}', '{"%s":1}', '{"a":[{"b":"x%sy"}]}'])
def test_a_text_that_nothing_could_keep_is_unfit(text: str, shape: str) -> None:
    with pytest.raises(TextUnfit):
        read_json((shape % text).encode())


def test_ordinary_texts_pass_unchanged() -> None:
    raw = '{"a":"line\\none\\ttab 😀 \\ud83d\\ude00 ü","n":[1,-2,3.5,true,null]}'.encode()
    assert read_json(raw) == {"a": "line\none\ttab 😀 😀 ü", "n": [1, -2, 3.5, True, None]}


def test_depth_is_counted_from_the_object_itself() -> None:
    deep = b'{"a":' + b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1) + b"}"
    assert read_json(deep)
    with pytest.raises(MalformedJson):
        read_json(b'{"a":' + b"[" * DEEPEST + b"]" * DEEPEST + b"}")


def test_many_shallow_lists_are_not_deep() -> None:
    assert read_json(b'{"a":[' + b",".join([b"[]"] * 100) + b"]}")
