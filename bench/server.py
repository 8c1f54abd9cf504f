"""The API as `escrow serve` runs it, with one more route that does nothing; `bench.http` starts it, with PORT and FILE.

FILE names the transactions that this worker has dealt with before: it keeps them, as it would have.
"""

import asyncio
import json
import sys
from pathlib import Path
from uuid import UUID

import uvloop
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from api.app import create_routes, put_layers
from api.dependencies import Dependencies
from cli.run.serve import make_server
from cli.wiring import open_dependencies
from database.settings import Settings
from domain.transaction import Transaction

NO_OP = "/api/v1/bench/no-op"


def create_app(dependencies: Dependencies) -> ASGIApp:
    """The application behind the same layers, with the route that does nothing."""
    routes = create_routes(dependencies)
    routes.add_api_route(NO_OP, do_nothing, methods=["POST"])
    return put_layers(routes, dependencies)


async def do_nothing(request: Request) -> Response:
    """The yardstick."""
    return Response(b"{}", media_type="application/json")


async def serve(port: int, transactions: list[str]) -> None:
    """Serve until terminated."""
    async with open_dependencies(Settings()) as dependencies:
        for transaction_id in transactions:
            await dependencies.escrow.get(Transaction, UUID(transaction_id))
        await make_server(create_app(dependencies), "127.0.0.1", port).serve()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())))
