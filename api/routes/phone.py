"""Your phone number, and showing that it is yours. Nothing here writes an event."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.access import FreshSessionDep, SessionDep
from api.bodies import AppCodeBody, SingleLine
from api.codes import SMS, counting_code, texter_of_codes
from api.dependencies import Dependencies, DependenciesDep
from api.http.query import Body, Nothing
from api.strict_route import StrictRoute
from identity.authenticator import Session
from identity.phone import confirm_phone, get_phone, send_phone_code, set_phone

router = APIRouter(prefix="/api/v1/auth/phone", tags=["auth"], route_class=StrictRoute)


class PhoneBody(Body):
    """A number with its country, such as +254700000001."""

    phone: Annotated[SingleLine, Field(min_length=1, max_length=32)]


class PhoneView(BaseModel):
    """Your number; codes can be sent to it once it is verified."""

    phone: str | None
    is_verified: bool


@router.get("", response_model=PhoneView)
async def get_number(session: SessionDep, dependencies: DependenciesDep) -> PhoneView:
    """Show your phone number, and whether it is verified."""
    async with dependencies.pool.connection() as connection:
        found = await get_phone(connection, session.user_id)
    return PhoneView(phone=found.number, is_verified=found.verified_at is not None)


@router.put("", status_code=204)
async def put_number(body: PhoneBody, session: FreshSessionDep, dependencies: DependenciesDep) -> Response:
    """Set your phone number; a code is sent to it by SMS. The same number again changes nothing."""
    async with dependencies.pool.connection() as connection, connection.transaction():
        await set_phone(connection, session.user_id, body.phone, at=dependencies.clock())
    await _send(dependencies, session)
    return Response(status_code=204)


@router.post("/code", status_code=204)
async def post_code(session: SessionDep, dependencies: DependenciesDep, body: Nothing | None = None) -> Response:
    """Send another code to your number; at most one a minute, and none to a verified one."""
    await _send(dependencies, session)
    return Response(status_code=204)


@router.post("/verify", status_code=204)
async def post_verify(body: AppCodeBody, session: SessionDep, dependencies: DependenciesDep) -> Response:
    """Show the six digits that were sent to your number."""
    with counting_code(dependencies, SMS):
        await confirm_phone(dependencies.pool, session.user_id, body.code, at=dependencies.clock())
    return Response(status_code=204)


async def _send(dependencies: Dependencies, session: Session) -> None:
    await send_phone_code(
        dependencies.pool,
        session.user_id,
        texter_of_codes(dependencies),
        at=dependencies.clock(),
        random_bytes=dependencies.random_bytes,
    )
