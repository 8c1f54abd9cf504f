"""Options that many commands share."""

from typing import Annotated
from uuid import UUID

import typer

LARGEST_NUMBER = 2**63 - 1
"""What a column for positions and the like can hold; a larger number names nothing."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
CsvOption = Annotated[
    bool, typer.Option("--csv", help="Print CSV on stdout; texts that a spreadsheet would run are made harmless.")
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why; 10 characters or more. It stands in the log for ever.")
]
ReferenceOption = Annotated[
    str | None, typer.Option("--reference", help="Which one, where several wait; else the first.")
]
TransactionArgument = Annotated[UUID, typer.Argument(help="The transaction's id.")]
