"""`escrow serve`: the API in one process. Start several on one port of a proxy for more."""

import asyncio
import gc

import uvicorn
import uvloop

from api.app import create_app
from api.canary import watch_canary
from api.http.protocol import StrictHttp
from cli.connection import prepare_database, running_server
from cli.stopping import leave_on_sigterm
from cli.wiring import open_dependencies, require_processor
from database.settings import Settings

GRACE_SECONDS = 30
YOUNG_OBJECTS = 10_000


def run_api(host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C; requests that have begun are finished first."""
    leave_on_sigterm()
    settings = Settings()
    require_processor(settings)
    with running_server(settings):
        prepare_database(settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, host, port))


async def _serve(settings: Settings, host: str, port: int) -> None:
    async with open_dependencies(settings) as dependencies:
        watching = asyncio.create_task(watch_canary(dependencies))
        try:
            await make_server(create_app(dependencies), host, port).serve()
        finally:
            watching.cancel()


def spare_collector() -> None:
    """Look for cycles less often: thousands of cached aggregates live on, and looking through them takes a quarter
    of the time of a command."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 50, 50)


def make_server(app: object, host: str, port: int) -> uvicorn.Server:
    """Return the HTTP server: no access log, because paths and addresses belong to the proxy in front."""
    spare_collector()
    config = uvicorn.Config(
        app,  # pyright: ignore[reportArgumentType] an ASGI application
        host=host,
        port=port,
        http=StrictHttp,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return uvicorn.Server(config)
