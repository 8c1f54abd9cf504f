"""`escrow setting`: the money settings that may change while transactions run."""

from typing import Annotated

import typer

from cli.parse.options import JsonOption, ReasonOption

app = typer.Typer(no_args_is_help=True, help="Read and change commission, four-eyes limit and break-glass.")


@app.command("list", epilog="Example: escrow setting list --json")
def list_money_settings(as_json: JsonOption = False) -> None:
    """Print the money settings in force, and whether somebody changed them or they are those of the environment."""
    from cli.run.setting import list_settings

    list_settings(as_json=as_json)


@app.command(epilog="Example: escrow setting change fee_bps 800 --reason 'Commission of 8 % from December on'")
def change(
    name: Annotated[str, typer.Argument(help="fee_bps, four_eyes_above_usd or break_glass.")],
    value: Annotated[
        int, typer.Argument(help="Basis points up to 10000; US dollars up to a billion; 1 or 0 for break-glass.")
    ],
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Change a money setting from now on; transactions that are open keep their commission.

    The change is an event, an administrative action and, for break-glass, a P0 alert. The same value again changes
    nothing.
    """
    from cli.run.setting import change_setting

    change_setting(name, value, reason, as_json=as_json)
