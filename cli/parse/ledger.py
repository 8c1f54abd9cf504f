"""`escrow ledger`: the books."""

from typing import Annotated
from uuid import UUID

import typer

from cli.parse.options import LARGEST_NUMBER, CsvOption, JsonOption, LimitOption

app = typer.Typer(no_args_is_help=True, help="Read the double-entry books.")


AsOf = Annotated[str | None, typer.Option(help="A position of the log, or a time with its offset; else now.")]
AccountName = Annotated[str, typer.Argument(help="An account of the trial balance, such as escrow:held.")]
CurrencyOption = Annotated[str | None, typer.Option(help="NGN, GHS, KES, ZAR or USD; else all.")]


@app.command("trial-balance", epilog="Example: escrow ledger trial-balance --as-of 2026-11-01T00:00:00Z")
def trial_balance(as_of: AsOf = None, as_json: JsonOption = False, as_csv: CsvOption = False) -> None:
    """Print every account and check that each currency sums to zero and that clients' money is covered.

    Exit 3 when it does not balance or is not covered.
    """
    from cli.run.ledger import form_of, show_trial_balance

    show_trial_balance(as_of, form_of(as_json=as_json, as_csv=as_csv))


@app.command(epilog="Example: escrow ledger account escrow:held --currency KES --as-of 2026-11-01T00:00:00Z")
def account(
    name: AccountName,
    currency: CurrencyOption = None,
    as_of: AsOf = None,
    after: Annotated[
        int | None, typer.Option(min=0, max=LARGEST_NUMBER, help="Start after this position; else the newest.")
    ] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Print the entries of an account, oldest first, with the balance after each."""
    from cli.run.ledger import form_of, show_account

    form = form_of(as_json=as_json, as_csv=as_csv)
    show_account(name, currency=currency, as_of=as_of, after=after, limit=limit, form=form)


@app.command(epilog="Example: escrow ledger statement --user ada@example.com --since 2026-11-01T00:00:00Z --csv")
def statement(
    user: Annotated[str | None, typer.Option(help="A user's id or e-mail address: the user's own lines.")] = None,
    transaction: Annotated[UUID | None, typer.Option(help="A transaction's id: its lines.")] = None,
    since: Annotated[str | None, typer.Option(help="A time with its offset; what was recorded from then on.")] = None,
    until: Annotated[str | None, typer.Option(help="A time with its offset; what was recorded before.")] = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Print what moved for a user, in a transaction, or for a user in a transaction, with balances before and after."""
    from cli.run.ledger import form_of
    from cli.run.statement import show_statement

    form = form_of(as_json=as_json, as_csv=as_csv)
    show_statement(user=user, transaction_id=transaction, since=since, until=until, form=form)


@app.command(epilog="Example: escrow ledger entries escrow:held --currency KES")
def entries(
    account: AccountName, currency: CurrencyOption = None, limit: LimitOption = 50, as_json: JsonOption = False
) -> None:
    """Print the entries of an account, newest first."""
    from cli.run.ledger import form_of, show_newest

    show_newest(account, currency, limit, form_of(as_json=as_json))


@app.command(
    epilog="Example: escrow ledger record balance_topped_up --currency KES --amount-minor 5000000 --evidence …"
)
def record(
    movement: Annotated[
        str,
        typer.Argument(
            help="capital_paid_in, balance_topped_up, charges_settled, charges_settled_to_bank, swept_to_bank, "
            "or what `escrow reconcile` names."
        ),
    ],
    currency: Annotated[str, typer.Option(help="NGN, GHS, KES, ZAR or USD.")],
    amount_minor: Annotated[int, typer.Option(min=1, max=LARGEST_NUMBER, help="In minor units: 100 is one shilling.")],
    evidence: Annotated[
        str, typer.Option(help="The statement or settlement that shows it; the same again is a repeat.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Record that the platform's own money moved outside: capital, top-ups, sweeps, and what reconciliation found."""
    from cli.run.treasury import record_movement

    record_movement(movement, currency, amount_minor, evidence, as_json=as_json)
