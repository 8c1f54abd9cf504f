"""The reference of the API has the tables that the code gives."""

from pathlib import Path

from api.command import SECRET_FIELDS
from api.reference import render_reference

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "http-api.md"


def test_the_tables_are_those_that_the_code_gives() -> None:
    """The text around the tables is by hand."""
    text = PAGE.read_text(encoding="utf-8")
    assert render_reference() in text, "run: .venv/bin/python -m api.reference docs/reference/http-api.md"


def test_every_field_that_is_not_compared_is_named() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in sorted(SECRET_FIELDS) if f"`{name}`" not in text.partition("## Answers")[0]] == []
