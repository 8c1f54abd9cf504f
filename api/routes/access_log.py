"""Who read or revealed what, when and from where, for those who watch over the others."""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.reads.access_log import list_accesses, list_security_alerts
from api.reads.page import Page
from api.reads.reading import Reader, reading, reading_as_staff
from api.strict_route import StrictRoute
from api.views.access_log import AccessItem, SecurityAlertItem

router = APIRouter(prefix="/api/v1/admin", tags=["admin"], route_class=StrictRoute)

FILTERS = ("user_id", "object_id", "action", "outcome", "since", "until", "limit", "cursor")
AccessReader = Annotated[Reader, Depends(reading(*FILTERS))]
AlertReader = Annotated[Reader, Depends(reading_as_staff("limit", "cursor"))]


@router.get("/access-log", response_model=Page[AccessItem])
async def get_access_log(reader: AccessReader) -> Page[AccessItem]:
    """List who read or revealed what, when and from where, newest first; for the security officer."""
    return await list_accesses(reader)


@router.get("/security-alerts", response_model=Page[SecurityAlertItem])
async def get_security_alerts(reader: AlertReader) -> Page[SecurityAlertItem]:
    """List attempts to see credentials that nobody makes by accident, newest first."""
    return await list_security_alerts(reader)
