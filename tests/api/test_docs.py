"""The reference names every route, and has the tables that the code gives."""

from pathlib import Path

from api.app import list_routes
from api.command import SECRET_FIELDS
from api.reference import render_reference

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "http-api.md"


def test_every_route_is_in_the_reference() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [route for route in list_routes() if f"`{route}`" not in text] == []


def test_the_tables_are_those_that_the_code_gives() -> None:
    """The text around the tables is by hand."""
    text = PAGE.read_text(encoding="utf-8")
    assert render_reference() in text, "run: .venv/bin/python -m api.reference docs/reference/http-api.md"


def test_every_field_that_is_not_compared_is_named() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in sorted(SECRET_FIELDS) if f"`{name}`" not in text.partition("## Answers")[0]] == []
