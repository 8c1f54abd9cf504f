"""Pages of the access log, and of the alerts it gave rise to."""

from api.http.query import read_choice, read_id, read_if_given, read_moment
from api.reads.page import Page, make_page, read_position_cursor
from api.reads.reading import Reader
from api.views.access_log import AccessItem, SecurityAlertItem
from identity.access_log import AccessFilter, Action, Outcome
from identity.access_log import list_accesses as read_accesses
from identity.access_log import list_security_alerts as read_alerts


async def list_accesses(reader: Reader) -> Page[AccessItem]:
    """Who did what, newest first. Raises QueryInvalid and CursorInvalid."""
    wanted = AccessFilter(
        user_id=read_id(reader.query.get("user_id")),
        object_id=read_id(reader.query.get("object_id")),
        action=read_choice(Action, reader.query.get("action")),
        outcome=read_choice(Outcome, reader.query.get("outcome")),
        since=read_if_given(read_moment, reader.query.get("since")),
        until=read_if_given(read_moment, reader.query.get("until")),
    )
    before = read_position_cursor(reader, "accesses") or None
    rows = await read_accesses(reader.dependencies.pool, wanted, before=before, limit=reader.limit + 1)
    return make_page(reader, "accesses", rows, AccessItem.of, lambda row: (row.id,))


async def list_security_alerts(reader: Reader) -> Page[SecurityAlertItem]:
    """Attempts that nobody makes by accident, newest first. Raises CursorInvalid."""
    before = read_position_cursor(reader, "security alerts") or None
    rows = await read_alerts(reader.dependencies.pool, before=before, limit=reader.limit + 1)
    return make_page(reader, "security alerts", rows, SecurityAlertItem.of, lambda row: (row.id,))
