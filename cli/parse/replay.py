"""`escrow replay`: prove the log, hold the tables against it, and rebuild them."""

from typing import Annotated

import typer

from cli.parse.options import LARGEST_NUMBER, DryRunOption, JsonOption, YesOption

app = typer.Typer(
    no_args_is_help=True,
    help="Prove the log and rebuild what is folded from it. Exit 3 when a difference or damage was found.",
)

ProjectionsOption = Annotated[
    list[str] | None, typer.Option("--projection", "-p", help="Only this read model; repeatable. Default: all.")
]


ExpectedHeadOption = Annotated[
    int | None,
    typer.Option(min=0, max=LARGEST_NUMBER, help="The newest position, as it is known elsewhere: finds a lost tail."),
]


@app.command(epilog="Example: escrow replay verify --expected-head 120934")
def verify(
    projection: ProjectionsOption = None,
    expected_head: ExpectedHeadOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify the log, the books and every row of every table, while commands go on."""
    from cli.run.replay import run_verify

    run_verify(projection, expected_head=expected_head, log=True, as_json=as_json)


@app.command(epilog="Example: escrow replay diff -p transactions --json")
def diff(projection: ProjectionsOption = None, as_json: JsonOption = False) -> None:
    """List every row that differs from what the log says, without verifying the log itself."""
    from cli.run.replay import run_verify

    run_verify(projection, expected_head=None, log=False, as_json=as_json)


@app.command(epilog="Example: escrow replay rebuild -p ledger --yes")
def rebuild(
    projection: ProjectionsOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Fold the tables anew beside the old ones, verify them, and swap them in. Commands and reads go on meanwhile."""
    from cli.run.replay import run_rebuild

    run_rebuild(projection, dry_run=dry_run, yes=yes, as_json=as_json)


@app.command(epilog="Example: escrow replay repair --yes")
def repair(
    expected_head: ExpectedHeadOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Verify the tables, then rebuild only those that differ."""
    from cli.run.replay import run_repair

    run_repair(expected_head, dry_run=dry_run, yes=yes, as_json=as_json)


@app.command("as-of", epilog="Example: escrow replay as-of 2026-11-01T00:00:00Z --schema november")
def as_of(
    point: Annotated[str, typer.Argument(help="A position of the log, or a time with its offset.")],
    schema: Annotated[str, typer.Option(help="The schema to fold into.")] = "as_of",
    drop: Annotated[bool, typer.Option("--drop", help="Drop what an earlier run left in this schema first.")] = False,
    projection: ProjectionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fold whole tables as they were at a position or a time, into a schema of their own."""
    from cli.run.replay import run_as_of

    run_as_of(point, schema, projection, drop=drop, as_json=as_json)


@app.command(epilog="Example: escrow replay status")
def status(as_json: JsonOption = False) -> None:
    """Show how far each table is behind the log, and how the last runs ended."""
    from cli.run.replay import run_status

    run_status(as_json=as_json)
