"""Rows as CSV (RFC 4180), for people who open them in a spreadsheet.

A text that begins like a formula gets an apostrophe in front of it: a spreadsheet would run it otherwise. Amounts stay
whole numbers in minor units, with the currency in a column of its own. https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from api.http.accept import prefers

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
MEDIA_TYPE = "text/csv"
AS_CSV: dict[int | str, dict[str, object]] = {200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}}
"""What a route that can answer with CSV adds to its description."""


def write_rows(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Return one line per row, without a head; None is an empty cell, a time is ISO 8601."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return text.getvalue()


def write_head(columns: Sequence[str]) -> str:
    """Return the line of column names."""
    return write_rows(columns, [{column: column for column in columns}])


def _cell(value: object) -> str | int:
    match value:
        case None:
            return ""
        case int():
            return value
        case datetime():
            return value.isoformat()
        case _:
            return make_harmless(str(value))


def make_harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def wants_csv(accept: str | None) -> bool:
    """Whether an Accept header asks for CSV by name, and not for JSON before it."""
    return prefers(accept, MEDIA_TYPE, "application/json")
