"""`escrow serve`: the API."""

from typing import Annotated

import typer

app = typer.Typer()


@app.command(epilog="Example: PAYSTACK_SECRET_KEY=… escrow serve --port 8000")
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the API listens.")] = 8000,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve the API. Run `escrow worker` beside it: without it nothing is paid and no table moves."""
    from cli.run.serve import run_api

    run_api(host, port)
