"""Runs of reconciliation: the list, and one with its differences."""

from uuid import UUID

from api.reads.page import Page, make_page, read_position_cursor
from api.reads.reading import Reader
from api.views.reconciliation import DifferenceItem, ReconciliationItem, ReconciliationView
from domain.errors import NotFound
from projections.reconciliation import get_reconciliation, list_differences, list_reconciliations


async def list_runs(reader: Reader) -> Page[ReconciliationItem]:
    """Runs, newest first."""
    before = read_position_cursor(reader, "reconciliations") or None
    rows = await list_reconciliations(reader.dependencies.pool, before=before, limit=reader.limit + 1)
    return make_page(reader, "reconciliations", rows, ReconciliationItem.of, lambda row: (row.position,))


async def read_run(reader: Reader, reconciliation_id: UUID) -> ReconciliationView:
    """One run and what it listed. Raises NotFound."""
    pool = reader.dependencies.pool
    row = await get_reconciliation(pool, reconciliation_id)
    if row is None:
        raise NotFound
    listed = [DifferenceItem.of(each) for each in await list_differences(pool, reconciliation_id)]
    return ReconciliationView.model_validate({**row._asdict(), "listed": listed})
