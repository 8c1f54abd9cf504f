"""Printing: one JSON object for programs, a table for people."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

Cell = object
WIDE = 400


def print_json(value: object) -> None:
    """Print one object on stdout; amounts stay integers, times are ISO 8601, and nothing is done to the terminal."""
    text = json.dumps(value, indent=2, default=_plain, ensure_ascii=False)
    print("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case UUID() | Decimal():
            return str(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON form")


def print_table(rows: Iterable[Mapping[str, Cell]], columns: Sequence[str]) -> None:
    """Print rows as a table; nothing found is said in words."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(show_plainly(_shown(row.get(column)))) for column in columns))
    if table.row_count:
        # A file or a pipe has no width: nothing is cut off there.
        Console(width=None if sys.stdout.isatty() else WIDE).print(table)
    else:
        print("nothing found", file=sys.stderr)


def print_rows(name: str, rows: Sequence[Mapping[str, Cell]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows: as one object that has them whole under a name, or these columns of them as a table."""
    if as_json:
        print_json({name: rows})
    else:
        print_table(rows, columns)


def print_facts(facts: Mapping[str, Cell], width: int) -> None:
    """Print what there is of these facts, one in a line, their names padded to `width`."""
    for name, fact in facts.items():
        if fact is not None:
            print(f"{name:{width}} {show_plainly(str(fact))}")


def report(facts: Mapping[str, object], sentence: str, *, as_json: bool) -> None:
    """Print what was done: its facts for a program, a sentence on stderr for a person."""
    if as_json:
        print_json(facts)
    else:
        say(sentence)


def _shown(value: Cell) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return "" if value is None else str(value)


def show_plainly(text: str) -> str:
    """Return a text that does nothing to the terminal: what cannot be seen is written out, such as \\x1b."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def say(message: str) -> None:
    """Print a message for a person on stderr, with nothing in it that does anything to the terminal."""
    print(show_plainly(message), file=sys.stderr, flush=True)
