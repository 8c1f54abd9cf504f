"""`escrow demo`: everything at once, with data to look at."""

from typing import Annotated

import typer

app = typer.Typer()


@app.command(epilog="Example: escrow demo --port 8000")
def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the API listens; 0 picks a free port.")] = 8000,
) -> None:
    """Start everything with demo data: database, stand-in Paystack, API, worker. Ctrl-C stops it and keeps the data."""
    from cli.demo.start import run_demo

    run_demo(port)
