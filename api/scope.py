"""What our layers leave in the ASGI scope for the routes, each under one name."""

from typing import cast

from starlette.types import Scope

from api.json_reader import Object

REQUEST_ID = "escrow.request_id"
BODY = "escrow.body"
RAW = "escrow.raw"


def request_id_of(scope: Scope) -> str:
    """The id of this request: the client's own if it is fit, else a new one."""
    return cast("str", scope.get(REQUEST_ID, ""))


def body_of(scope: Scope) -> Object | None:
    """The body as parsed strictly; None where there was none."""
    return cast("Object | None", scope.get(BODY))


def raw_of(scope: Scope) -> bytes:
    """The body as delivered."""
    return cast("bytes", scope.get(RAW, b""))
