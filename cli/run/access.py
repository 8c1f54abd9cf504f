"""What `escrow access` prints. It is read as the application: the auditor's role sees no addresses."""

from dataclasses import asdict
from uuid import UUID

from api.http.query import read_choice
from cli.connection import run_as
from cli.output import print_rows
from database.settings import Settings
from identity.access_log import AccessFilter, Action, Outcome, list_accesses, list_security_alerts

COLUMNS = ("last_at", "times", "action", "outcome", "reason", "user_id", "object_id", "address")
ALERT_COLUMNS = ("last_at", "times", "kind", "transaction_id", "user_id")


def show_accesses(
    *, user: UUID | None, about: UUID | None, action: str | None, outcome: str | None, limit: int, as_json: bool
) -> None:
    """List accesses. Raises QueryInvalid for an action or outcome that does not exist."""
    wanted = AccessFilter(
        user_id=user, object_id=about, action=read_choice(Action, action), outcome=read_choice(Outcome, outcome)
    )
    rows = run_as("app", Settings(), lambda pool: list_accesses(pool, wanted, before=None, limit=limit))
    print_rows("accesses", [asdict(row) for row in rows], COLUMNS, as_json=as_json)


def show_security_alerts(*, limit: int, as_json: bool) -> None:
    """List security alerts."""
    rows = run_as("app", Settings(), lambda pool: list_security_alerts(pool, before=None, limit=limit))
    print_rows("security_alerts", [asdict(row) for row in rows], ALERT_COLUMNS, as_json=as_json)
