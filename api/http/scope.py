"""What our layers leave in the ASGI scope for the routes, each under one name."""

from typing import cast
from uuid import UUID

from starlette.types import Scope

from api.http.json_reader import Object
from identity.authenticator import Session

REQUEST_ID = "escrow.request_id"
BODY = "escrow.body"
RAW = "escrow.raw"
SESSION = "escrow.session"
SUBJECT = "escrow.subject"


def request_id_of(scope: Scope) -> str:
    """The id of this request: the client's own if it is fit, else a new one."""
    return cast("str", scope.get(REQUEST_ID, ""))


def body_of(scope: Scope) -> Object | None:
    """The body as parsed strictly; None where there was none."""
    return cast("Object | None", scope.get(BODY))


def raw_of(scope: Scope) -> bytes:
    """The body as delivered."""
    return cast("bytes", scope.get(RAW, b""))


def session_of(scope: Scope) -> Session | None:
    """Who is signed in; None before that was looked at, and for who is not."""
    return cast("Session | None", scope.get(SESSION))


def subject_of(scope: Scope) -> UUID | None:
    """Who has just signed in with this request."""
    return cast("UUID | None", scope.get(SUBJECT))
