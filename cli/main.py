"""The `escrow` command. Exit codes: 0 fine, 1 unexpected, 2 usage, 3 difference or corruption found, 4 precondition not
met, 5 not found, 6 conflict, 9 refused.
"""

import sys
from typing import Annotated

import typer

from cli import (
    accesses,
    contracts,
    ledger,
    mail,
    payouts,
    paystack_sim,
    reconcile,
    replay,
    setting,
    transactions,
    users,
    vault,
    webhooks,
)
from cli.options import JsonOption

app = typer.Typer(
    name="escrow",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="An event-sourced escrow ledger. `--json` gives one object on stdout; progress and messages go to stderr.",
    epilog='Start with [bold]escrow demo[/bold]; then psql "$(escrow dsn)" and [bold]escrow replay verify[/bold].',
)
app.add_typer(users.app, name="user")
app.add_typer(transactions.app, name="tx")
app.add_typer(accesses.app, name="access")
app.add_typer(contracts.app, name="contract")
app.add_typer(payouts.app, name="payout")
app.add_typer(payouts.refunds, name="refund")
app.add_typer(ledger.app, name="ledger")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(replay.app, name="replay")
app.add_typer(setting.app, name="setting")
app.add_typer(vault.app, name="vault")
app.add_typer(mail.app, name="mail")
app.command("events", epilog="Example: escrow events --stream 018f3c9e-0000-7000-8000-000000000000 --limit 20")(
    transactions.events
)
app.command(
    "paystack-sim",
    epilog="Example: escrow paystack-sim --port 8001 --seed 7 --faults chaos --balance KES=1000000",
)(paystack_sim.paystack_sim)
app.command("reconcile", epilog="Example: escrow reconcile --since 2026-11-01 --json")(reconcile.reconcile)


@app.command(epilog="Example: escrow demo --port 8000")
def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the API listens; 0 picks a free port.")] = 8000,
) -> None:
    """Start everything with demo data: database, stand-in Paystack, API, worker. Ctrl-C stops it and keeps the data."""
    from cli.demo import run_demo

    run_demo(port)


@app.command(epilog="Example: PAYSTACK_SECRET_KEY=… escrow serve --port 8000")
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the API listens.")] = 8000,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve the API. Run `escrow worker` beside it: without it nothing is paid and no table moves."""
    from cli.serve import run_api

    run_api(host, port)


@app.command(epilog="Example: PAYSTACK_SECRET_KEY=… escrow worker --reconcile-first")
def worker(
    reconcile_first: Annotated[
        bool,
        typer.Option(
            "--reconcile-first",
            help="Hold the log against the processor before any money moves: after a restore onto another host.",
        ),
    ] = False,
) -> None:
    """Keep the tables up to date with the log and do what events demand: payouts, refunds, deadlines."""
    from cli.work import run_worker

    run_worker(reconcile_first=reconcile_first)


@app.command(epilog="Example: escrow restored")
def restored(
    lift: Annotated[
        str | None,
        typer.Option(help="Let the transaction go on although this reference of the processor's has no place in it."),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why it may go on; at least 10 characters, no names.")] = None,
    keep_api_keys: Annotated[
        bool, typer.Option("--keep-api-keys", help="None was revoked since the backup was made: all stay good.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say that the database was restored: no money moves until the worker has held the log against the processor.

    Sessions, codes and API keys of the backup are good no more: it does not know which of them were ended since. A
    restore where ESCROW_HOME stayed is noticed without it, and API keys stay good then. With `--lift` an external
    payment that was found then no longer holds its transaction back.
    """
    from cli.restored import run_lift, run_restored

    if lift is None:
        run_restored(keeps_api_keys=keep_api_keys, as_json=as_json)
    else:
        run_lift(lift, reason or "", as_json=as_json)


@app.command(
    epilog="Example: escrow outage --since 2026-11-27T01:00:00Z --until 2026-11-27T03:30:00Z --reason 'Power cut'"
)
def outage(
    since: Annotated[str, typer.Option(help="When it began: a time with its offset.")],
    reason: Annotated[str, typer.Option(help="What happened, 10 characters or more. It stands in the log for ever.")],
    until: Annotated[str | None, typer.Option(help="When it ended. Default: now.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Lengthen every deadline that was running in an outage by its length and a day, because nobody could act then.

    Where the worker was away, too, it has done so by itself. The same beginning again lengthens nothing twice.
    """
    from cli.outage import run_outage

    run_outage(since, until, reason, as_json=as_json)


@app.command(epilog="Example: escrow migrate --dry-run")
def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be applied.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the database to this version's schema; twice is the same as once."""
    from cli.database import run_migrations

    run_migrations(dry_run=dry_run, as_json=as_json)


@app.command(epilog="Example: escrow doctor --json")
def doctor(as_json: JsonOption = False) -> None:
    """Say which PostgreSQL is used and why, and whether the installation is safe. Exit 4 when something is wrong."""
    from cli.database import run_doctor

    run_doctor(as_json=as_json)


@app.command(epilog='Example: psql "$(escrow dsn)" -c "SELECT state, count(*) FROM transactions GROUP BY state"')
def dsn(
    role: Annotated[str, typer.Option(help="owner, app or auditor; auditors read and cannot write.")] = "auditor",
) -> None:
    """Print the libpq address of the database for a role; it contains the role's password."""
    from cli.database import print_dsn

    print_dsn(role)


def main() -> None:
    """Run the command and turn refusals into exit codes."""
    from domain.errors import EscrowError

    try:
        app()
    except EscrowError as error:
        # Only now: what it needs to know every kind of refusal would make `--help` slow.
        from cli.failure import exit_code_of, say

        say(error)
        sys.exit(exit_code_of(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
