"""`escrow worker`: what keeps the tables up to date and does what events demand."""

from typing import Annotated

import typer

app = typer.Typer()


@app.command(epilog="Example: PAYSTACK_SECRET_KEY=… escrow worker --reconcile-first")
def worker(
    reconcile_first: Annotated[
        bool,
        typer.Option(
            "--reconcile-first",
            help="Hold the log against the processor before any money moves: after a restore onto another host. "
            "API keys stay good: `escrow restored` revokes them.",
        ),
    ] = False,
) -> None:
    """Keep the tables up to date with the log and do what events demand: payouts, refunds, deadlines."""
    from cli.run.worker import run_worker

    run_worker(reconcile_first=reconcile_first)
