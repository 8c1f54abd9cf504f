"""The application: the routes, behind the layers that every request passes."""

import re
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from api.dependencies import Dependencies
from api.http.front_door import FrontDoor
from api.http.problems import install_handlers
from api.http.strict_json import StrictJson
from api.openapi import describe
from api.rights import require_rights
from api.routes import (
    access_log,
    admin,
    api_key,
    audit,
    auth,
    bank,
    erasure,
    listing,
    ops,
    password_reset,
    payout_account,
    phone,
    reconciliation,
    recovery_key,
    second_factor,
    security_key,
    session,
    transaction,
    webhook,
)
from projections.registry import PROJECTIONS

VERSION = "1.0.0"
TITLE = "Escrow ledger"
ROUTERS = (
    transaction.router,
    listing.router,
    listing.catalog,
    auth.router,
    password_reset.router,
    phone.router,
    recovery_key.router,
    second_factor.router,
    security_key.router,
    session.router,
    payout_account.router,
    bank.router,
    api_key.router,
    erasure.router,
    admin.router,
    access_log.router,
    webhook.router,
    audit.router,
    reconciliation.router,
    ops.router,
    ops.metrics,
)

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_routes(dependencies: Dependencies, lifespan: Lifespan | None = None) -> FastAPI:
    """Return the routes alone, without the layers in front of them. Raises LookupError for one without rights."""
    require_rights(list_routes())
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.dependencies = dependencies
    for router in ROUTERS:
        # Not include_router: it would ask every router again on the way to each route, a third of an empty request.
        app.router.routes.extend(router.routes)
    install_handlers(app, dependencies.metrics)
    app.openapi = lambda: dict(describe(app))
    dependencies.metrics.prepare(list_routes(), [projection.name for projection in PROJECTIONS])
    return app


def create_app(dependencies: Dependencies, lifespan: Lifespan | None = None) -> ASGIApp:
    """Return the application. `dependencies` are open and stay their maker's to close, unless `lifespan` does both."""
    return put_layers(create_routes(dependencies, lifespan), dependencies)


def put_layers(routes: FastAPI, dependencies: Dependencies) -> ASGIApp:
    """Return the routes behind the layers that every request passes."""
    strict = StrictJson(
        routes,
        webhook_paths=frozenset({webhook.PAYSTACK, webhook.APPROVAL}),
        upload_paths=re.compile(r"/api/v1/listings/[^/]+/proofs"),
    )
    return FrontDoor(strict, metrics=dependencies.metrics, make_id=lambda: secrets.token_hex(12))


def list_routes() -> list[str]:
    """Return every route as metrics name it: "POST /api/v1/…"."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return sorted(f"{method} {route.path}" for route in routes for method in route.methods or ())
