"""Asking before what cannot be taken back."""

import sys

import typer

from cli.exit_code import REFUSED
from cli.output import say


def require_consent(question: str, *, given: bool) -> None:
    """Ask a person, unless consent is given; without a terminal nobody can answer, and the answer is no: exit 9."""
    if not given and not (sys.stdin.isatty() and typer.confirm(question, err=True)):
        say("nothing was done; --yes goes ahead without asking")
        raise typer.Exit(REFUSED)
