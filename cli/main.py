"""The `escrow` command. Exit codes: 0 fine, 1 unexpected, 2 usage, 3 difference or corruption found, 4 precondition not
met, 5 not found, 6 conflict, 9 refused.
"""

import sys

import typer

from cli.parse import (
    access,
    contract,
    database,
    demo,
    ledger,
    mail,
    outage,
    payout,
    paystack_sim,
    reconcile,
    refund,
    replay,
    restored,
    serve,
    setting,
    transaction,
    user,
    vault,
    webhook,
    worker,
)

app = typer.Typer(
    name="escrow",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="An event-sourced escrow ledger. `--json` gives one object on stdout; progress and messages go to stderr.",
    epilog='Start with [bold]escrow demo[/bold]; then psql "$(escrow dsn)" and [bold]escrow replay verify[/bold].',
)
for single in (demo, serve, worker, restored, outage, database, paystack_sim, reconcile):
    app.add_typer(single.app)
app.add_typer(transaction.log)
app.add_typer(user.app, name="user")
app.add_typer(transaction.app, name="tx")
app.add_typer(access.app, name="access")
app.add_typer(contract.app, name="contract")
app.add_typer(payout.app, name="payout")
app.add_typer(refund.app, name="refund")
app.add_typer(ledger.app, name="ledger")
app.add_typer(webhook.app, name="webhooks")
app.add_typer(replay.app, name="replay")
app.add_typer(setting.app, name="setting")
app.add_typer(vault.app, name="vault")
app.add_typer(mail.app, name="mail")


def main() -> None:
    """Run the command and turn refusals into exit codes."""
    from domain.errors import EscrowError

    try:
        app()
    except EscrowError as error:
        # Only now: what it needs to know every kind of refusal would make `--help` slow.
        from cli.failure import exit_code_of, show

        show(error)
        sys.exit(exit_code_of(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
