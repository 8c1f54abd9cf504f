"""`escrow replay`: prove the log, hold the tables against it, and rebuild them."""

from typing import Annotated

import typer

from cli.options import JsonOption

app = typer.Typer(
    no_args_is_help=True,
    help="Prove the log and rebuild what is folded from it. Exit 3 when a difference or damage was found.",
)

ProjectionsOption = Annotated[
    list[str] | None, typer.Option("--projection", "-p", help="Only this read model; repeatable. Default: all.")
]


@app.command(epilog="Example: escrow replay verify --expected-head 120934")
def verify(
    projection: ProjectionsOption = None,
    expected_head: Annotated[
        int | None, typer.Option(min=0, help="The newest position, as it is known elsewhere: finds a lost tail.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify the log, the books and every row of every table, while commands go on."""
    from cli.replaying import run_verify

    run_verify(projection, expected_head=expected_head, log=True, as_json=as_json)


@app.command(epilog="Example: escrow replay diff -p transactions --json")
def diff(projection: ProjectionsOption = None, as_json: JsonOption = False) -> None:
    """List every row that differs from what the log says, without verifying the log itself."""
    from cli.replaying import run_verify

    run_verify(projection, expected_head=None, log=False, as_json=as_json)
