"""What a person types and no argument may hold: arguments stand in the list of processes."""

import sys

import typer


def read_line(what: str, *, hide: bool) -> str:
    """Return what whoever sits there answers, else the first line of standard input."""
    answer: str = typer.prompt(what, hide_input=hide) if sys.stdin.isatty() else sys.stdin.readline()
    return answer.strip()
