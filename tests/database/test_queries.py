"""The loader of named SQL."""

import pytest

from database.queries import Queries, load, parse


def test_each_section_becomes_an_attribute_without_its_comment() -> None:
    queries = Queries("x.sql", parse("-- name: one\n-- Half is 50 % here.\nSELECT 1;\n\n-- name: two\nSELECT 2\n"))
    assert (queries.one, queries.two) == ("SELECT 1;", "SELECT 2")


def test_an_unknown_name_is_an_attribute_error_that_names_the_file() -> None:
    with pytest.raises(AttributeError, match=r"database/migrate.sql has no query named nonsense"):
        _ = load("database", "migrate.sql").nonsense


def test_a_name_used_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="one"):
        parse("-- name: one\nSELECT 1\n-- name: one\nSELECT 2\n")


def test_comments_inside_a_query_stay() -> None:
    assert parse("-- name: one\nSELECT 1 -- why\n;")["one"] == "SELECT 1 -- why\n;"
