"""What auditors read of reconciliation."""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.http.path import PathId
from api.reads.page import Page
from api.reads.reading import Reader, reading_as_auditor
from api.reads.reconciliation import list_runs, read_run
from api.strict_route import StrictRoute
from api.views.reconciliation import ReconciliationItem, ReconciliationView

router = APIRouter(prefix="/api/v1/audit/reconciliations", tags=["audit"], route_class=StrictRoute)

ListReader = Annotated[Reader, Depends(reading_as_auditor("limit", "cursor"))]
OneReader = Annotated[Reader, Depends(reading_as_auditor())]


@router.get("", response_model=Page[ReconciliationItem])
async def get_reconciliations(reader: ListReader) -> Page[ReconciliationItem]:
    """List the runs that held the books against the payment processor's, newest first."""
    return await list_runs(reader)


@router.get("/{reconciliation_id}", response_model=ReconciliationView)
async def get_reconciliation(reconciliation_id: PathId, reader: OneReader) -> ReconciliationView:
    """Show one run with every difference and the command that settles it."""
    return await read_run(reader, reconciliation_id)
