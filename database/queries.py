"""Named SQL: `-- name: get_head` in a `.sql` file becomes the attribute `get_head`."""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

SECTION = re.compile(r"^--\s*name:\s*(\S+)[ \t]*$", re.MULTILINE)
LEADING_COMMENTS = re.compile(r"\A(?:\s*--[^\n]*\n)*\s*")


class Queries:
    """The queries of one file, one attribute each; an unknown name is an AttributeError at once."""

    def __init__(self, source: str, sections: dict[str, LiteralString]) -> None:
        """`source` names the file in errors."""
        self._source = source
        self._sections = sections

    def __getattr__(self, name: str) -> LiteralString:
        """The text of the query `name`."""
        try:
            return self.__dict__["_sections"][name]
        except KeyError:
            raise AttributeError(f"{self.__dict__.get('_source')} has no query named {name}") from None


@cache
def load(package: str, filename: str) -> Queries:
    """The queries in `filename` of the import package `package`; ValueError when a name is unfit or occurs twice."""
    text = files(package).joinpath(filename).read_text(encoding="utf-8")
    return Queries(f"{package}/{filename}", parse(text))


def parse(text: str) -> dict[str, LiteralString]:
    """Name → SQL, without the sentence above it: a per cent sign in a comment would be taken for a placeholder."""
    parts = SECTION.split(text)[1:]
    sections: dict[str, LiteralString] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in sections or not name.isidentifier():
            raise ValueError(f"query name {name!r} is used twice or is no identifier")
        # The only place where text becomes LiteralString: it comes from a file of the program, never from input.
        sections[name] = cast("LiteralString", LEADING_COMMENTS.sub("", body).strip())
    return sections
