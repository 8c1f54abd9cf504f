"""RFC 9457: one form for everything that goes wrong, with a stable `code`, and never an echo of the input."""

import json
from collections.abc import Mapping, Sequence
from typing import cast

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from api.errors import InternalError, MethodNotAllowed
from api.http.scope import request_id_of
from api.metrics import Metrics
from database.errors import DatabaseUnavailable
from domain.errors import EscrowError, Fact, Invalid, NotFound

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:escrow:problem:"
WAIT_SECONDS = 1
NOT_FOUND = 404
RESERVED = frozenset({"type", "title", "status", "detail", "code", "state", "allowed_actions", "request_id", "errors"})
TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timeout",
    409: "Conflict",
    412: "Precondition failed",
    413: "Body too large",
    415: "Unsupported media type",
    422: "Invalid request",
    429: "Too many requests",
    431: "Headers too large",
    502: "Payment processor failed",
    503: "Unavailable",
}
# Gone after a while: rollbacks, lack of resources, locks, cancelled statements, read-only servers, trouble with files.
PASSING = ("08", "25", "40", "53", "55", "57", "58")
DATA_ERROR = "22"


def problem_of(error: EscrowError, request_id: str) -> Response:
    """Return the answer for an error of our own tree."""
    headers = {"Cache-Control": "no-store"}
    if error.status in {429, 503} or _retry_after(error) is not None:
        headers["Retry-After"] = str(_retry_after(error) or WAIT_SECONDS)
    if error.status == 401:  # noqa: PLR2004
        headers["WWW-Authenticate"] = "Bearer"
    body = _body(error, request_id)
    return Response(json.dumps(body, ensure_ascii=False), error.status, headers, MEDIA_TYPE)


def _body(error: EscrowError, request_id: str) -> Mapping[str, Fact | Sequence[Mapping[str, Fact]]]:
    body: dict[str, Fact | Sequence[Mapping[str, Fact]]] = {
        "type": f"{TYPE_PREFIX}{error.code}",
        "title": TITLES.get(error.status, "Internal error"),
        "status": error.status,
        "detail": error.message,
        "code": error.code,
        "request_id": request_id,
    }
    if error.status == NOT_FOUND:
        # Whatever is known of it, this is the answer for something that does not exist.
        return body
    if error.state is not None:
        body["state"] = error.state
    if error.allowed_actions is not None:
        body["allowed_actions"] = list(error.allowed_actions)
    if isinstance(error, BadFields):
        body["errors"] = error.places
    return body | {name: fact for name, fact in error.facts.items() if name not in RESERVED and fact is not None}


def _retry_after(error: EscrowError) -> int | None:
    wait = error.facts.get("retry_after_seconds", getattr(error, "retry_after_seconds", None))
    return max(1, round(wait)) if isinstance(wait, int | float) else None


class BadFields(Invalid):
    """Fields of the request are missing, unknown or not what the documentation says; `errors` names them."""

    def __init__(self, problems: Sequence[Mapping[str, object]]) -> None:
        """Keep place and kind of each problem, never the value."""
        super().__init__()
        self.places = [_place(problem) for problem in problems]


def _place(problem: Mapping[str, object]) -> Mapping[str, Fact]:
    """Name only fields of ours: an unknown one carries the client's own text."""
    kind = str(problem.get("type"))
    place = [str(part) for part in cast("Sequence[str | int]", problem.get("loc", ()))]
    if kind == "extra_forbidden":
        place = [*place[:-1], "(unknown field)"]
    return {"field": ".".join(place), "problem": kind}


def translate(error: Exception) -> EscrowError:
    """Return what an error that is not ours means to the client; `InternalError` when it is a defect."""
    match error:
        case EscrowError():
            return error
        case RequestValidationError() | ValidationError():
            return BadFields(error.errors())
        case psycopg.Error():
            return _of_database(error)
        case ConnectionError() | TimeoutError():
            return DatabaseUnavailable()
        case _:
            return InternalError()


def _of_database(error: psycopg.Error) -> EscrowError:
    state = error.sqlstate or ""
    if state.startswith(DATA_ERROR):
        return Invalid()
    if state.startswith(PASSING) or isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return DatabaseUnavailable()
    return InternalError()


def install_handlers(app: FastAPI, metrics: Metrics) -> None:
    """One handler for our own errors and for defects, one for the framework's: every answer is a problem."""

    async def answer(request: Request, error: Exception) -> Response:
        translated = translate(error)
        if isinstance(error, psycopg.Error) or isinstance(translated, DatabaseUnavailable):
            metrics.database_errors.inc()
        return problem_of(translated, request_id_of(request.scope))

    async def answer_framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 405:  # noqa: PLR2004
            response = problem_of(MethodNotAllowed(), request_id_of(request.scope))
            response.headers["Allow"] = ", ".join(allowed_methods(app, request))
            return response
        refused: EscrowError = NotFound() if error.status_code == NOT_FOUND else Invalid()
        return problem_of(refused, request_id_of(request.scope))

    for kind in (EscrowError, RequestValidationError, psycopg.Error, Exception):
        app.add_exception_handler(kind, answer)
    app.add_exception_handler(HTTPException, answer_framework)


def allowed_methods(app: FastAPI, request: Request) -> list[str]:
    """Return every method that this path knows; the framework names those of the first route that matches."""
    found: set[str] = set()
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        scope = dict(request.scope) | {"method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in app.router.routes):
            found.add(method)
    return sorted(found)
