"""Your phone number, and showing that it is yours. Nothing here writes an event."""

from fastapi import APIRouter
from starlette.responses import Response

from api.access import FreshSessionDep, SessionDep
from api.bodies import CodeBody, PhoneBody
from api.codes import counting_code
from api.dependencies import DependenciesDep
from api.flows.phone import change_phone, text_code
from api.http.body import Nothing
from api.metrics import SMS
from api.strict_route import StrictRoute
from api.views.user import PhoneView
from identity.phone import confirm_phone, get_phone

router = APIRouter(prefix="/api/v1/auth/phone", tags=["auth"], route_class=StrictRoute)


@router.get("", response_model=PhoneView)
async def get_number(session: SessionDep, dependencies: DependenciesDep) -> PhoneView:
    """Show your phone number, and whether it is verified."""
    async with dependencies.pool.connection() as connection:
        found = await get_phone(connection, session.user_id)
    return PhoneView.of(found)


@router.put("", status_code=204)
async def put_number(body: PhoneBody, session: FreshSessionDep, dependencies: DependenciesDep) -> Response:
    """Set your phone number; a code is sent to it by SMS. The same number again changes nothing."""
    await change_phone(dependencies, session, body.phone)
    return Response(status_code=204)


@router.post("/code", status_code=204)
async def post_code(session: SessionDep, dependencies: DependenciesDep, body: Nothing | None = None) -> Response:
    """Send another code to your number; at most one a minute, and none to a verified one."""
    await text_code(dependencies, session)
    return Response(status_code=204)


@router.post("/verify", status_code=204)
async def post_verify(body: CodeBody, session: SessionDep, dependencies: DependenciesDep) -> Response:
    """Show the six digits that were sent to your number."""
    with counting_code(dependencies, SMS):
        await confirm_phone(dependencies.pool, session.user_id, body.code, at=dependencies.clock())
    return Response(status_code=204)
