"""`escrow ledger`: the books."""

from typing import Annotated

import typer

from cli.options import JsonOption

app = typer.Typer(no_args_is_help=True, help="Read the double-entry books.")


@app.command("trial-balance", epilog="Example: escrow ledger trial-balance --json")
def trial_balance(as_json: JsonOption = False) -> None:
    """Print every account and check that each currency sums to zero and that clients' money is covered.

    Exit 3 when it does not balance or is not covered.
    """
    from cli.reading import show_trial_balance

    show_trial_balance(as_json=as_json)


@app.command(epilog="Example: escrow ledger entries escrow:held --currency KES")
def entries(
    account: Annotated[str, typer.Argument(help="An account of the trial balance, such as escrow:held.")],
    currency: Annotated[str | None, typer.Option(help="NGN, GHS, KES or ZAR; else all.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Print the entries of an account, newest first."""
    from cli.reading import show_entries

    show_entries(account, currency, limit, as_json=as_json)


@app.command(
    epilog="Example: escrow ledger record balance_topped_up --currency KES --amount-minor 5000000 --evidence …"
)
def record(
    movement: Annotated[
        str,
        typer.Argument(
            help="capital_paid_in, balance_topped_up, charges_settled, charges_settled_to_bank or swept_to_bank."
        ),
    ],
    currency: Annotated[str, typer.Option(help="NGN, GHS, KES or ZAR.")],
    amount_minor: Annotated[int, typer.Option(min=1, help="In minor units: 100 is one shilling.")],
    evidence: Annotated[
        str, typer.Option(help="The statement or settlement that shows it; the same again is a repeat.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Record that the platform's own money moved outside: capital, top-ups, settlements, sweeps."""
    from cli.treasury import record_movement

    record_movement(movement, currency, amount_minor, evidence, as_json=as_json)
