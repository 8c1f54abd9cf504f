"""Options that many commands share."""

from typing import Annotated

import typer

LARGEST_NUMBER = 2**63 - 1
"""What a column for positions and the like can hold; a larger number names nothing."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
CsvOption = Annotated[
    bool, typer.Option("--csv", help="Print CSV on stdout; texts that a spreadsheet would run are made harmless.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")]
