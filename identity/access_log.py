"""The access log: who read or revealed what, when and from where. It is for the security officer, and not in the log.

Addresses and programs are personal data: they can be erased, and rows go after a while.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from psycopg.rows import class_row

from database.connect import Connection, Pool
from database.queries import load
from identity.email import UnfitEmail, normalise_email

SQL = load("identity", "access_log.sql")


class Action(StrEnum):
    """What somebody did, or tried to do."""

    REVEAL = "reveal"
    TRANSACTION_READ = "transaction_read"
    CONTRACT_READ = "contract_read"
    PROOF_READ = "proof_read"
    PROOF_SENT = "proof_sent"
    PROOF_REMOVED = "proof_removed"
    ADMIN_READ = "admin_read"
    AUDIT_READ = "audit_read"
    ACCESS_LOG_READ = "access_log_read"
    SIGN_IN = "sign_in"
    SECOND_FACTOR = "second_factor"
    PASSWORD_CHANGE = "password_change"  # noqa: S105 it is what was done
    RECOVERY_KEY = "recovery_key"
    API_KEY = "api_key"
    ROLE_CHANGE = "role_change"
    PAYOUT_ACCOUNT_READ = "payout_account_read"
    PAYOUT_ACCOUNT_CHANGE = "payout_account_change"
    OTHERS = "others"
    """So many different ones came within the hour that they are only counted."""


class Outcome(StrEnum):
    """What became of it; `rehearsed` is a dry run, `failed` our own failure."""

    GRANTED = "granted"
    REFUSED = "refused"
    FAILED = "failed"
    REHEARSED = "rehearsed"


class AlertKind(StrEnum):
    """Attempts that nobody makes by accident."""

    SECOND_REVEAL = "second_reveal"
    FOREIGN_REVEAL = "foreign_reveal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One access. `email` is the account that was tried and is not kept; the same within an hour is counted."""

    at: datetime = field(compare=False)
    hour: datetime
    action: Action
    outcome: Outcome
    reason: str | None = None
    user_id: UUID | None = None
    email: str | None = field(default=None, repr=False)
    role: str | None = None
    object_id: UUID | None = None
    request_id: str = field(compare=False)
    address: str | None = field(repr=False)
    user_agent: str | None = field(compare=False, repr=False)

    def among_many(self) -> "Access":
        """The same as one of so many that nothing but their number and their address is kept."""
        return replace(self, action=Action.OTHERS, reason=None, user_id=None, email=None, role=None, object_id=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRow:
    """A row of `access_log`; the auditor of the database sees neither address nor user agent."""

    id: int
    first_at: datetime
    last_at: datetime
    times: int
    action: str
    outcome: str
    reason: str | None
    user_id: UUID | None
    role: str | None
    object_id: UUID | None
    request_id: str
    address: str | None = field(repr=False)
    user_agent: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityAlert:
    """A row of `security_alerts`."""

    id: int
    kind: str
    transaction_id: UUID
    user_id: UUID
    first_at: datetime
    last_at: datetime
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFilter:
    """Which accesses are wanted: those that were still going on at `since` and had begun before `until`."""

    user_id: UUID | None = None
    object_id: UUID | None = None
    action: Action | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None


async def write_accesses(pool: Pool, accesses: Sequence[tuple[Access, int]]) -> None:
    """Write accesses with how often each was."""
    rows = [_row(access, times) for access, times in accesses]
    async with pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:
        await cursor.execute(SQL.write_alone)
        await cursor.executemany(SQL.write_access, rows)


async def write_access(pool: Pool, access: Access, alert: AlertKind | None = None) -> bool:
    """Write one access now, and the alert it gives rise to; True when there was an alert."""
    row = _row(access, 1)
    async with pool.connection() as connection, connection.transaction():
        await connection.execute(SQL.write_access, row)
        if alert is None or access.user_id is None or access.object_id is None:
            return False
        return await (await connection.execute(SQL.raise_alert, {**row, "kind": alert})).fetchone() is not None


async def list_accesses(pool: Pool, wanted: AccessFilter, *, before: int | None, limit: int) -> list[AccessRow]:
    """Return accesses, newest first; `before` is the id of the last one of the page before."""
    parameters = {
        "user_id": wanted.user_id,
        "object_id": wanted.object_id,
        "action": wanted.action,
        "outcome": wanted.outcome,
        "since": wanted.since,
        "until": wanted.until,
        "before": before,
        "limit": limit,
    }
    async with pool.connection() as connection, connection.cursor(row_factory=class_row(AccessRow)) as cursor:
        return await (await cursor.execute(SQL.list_accesses, parameters)).fetchall()


async def list_security_alerts(pool: Pool, *, before: int | None, limit: int) -> list[SecurityAlert]:
    """Return security alerts, newest first; `before` is the id of the last one of the page before."""
    async with pool.connection() as connection, connection.cursor(row_factory=class_row(SecurityAlert)) as cursor:
        return await (await cursor.execute(SQL.list_security_alerts, {"before": before, "limit": limit})).fetchall()


async def forget_addresses(connection: Connection, user_id: UUID) -> int:
    """Erase from where a user came, and with what; return in how many rows. Call inside a transaction."""
    await connection.execute(SQL.write_alone)
    return (await connection.execute(SQL.forget_addresses, (user_id,))).rowcount


async def delete_old_accesses(connection: Connection, before: datetime) -> int:
    """Delete what was last seen before a moment; return how many rows. Call inside a transaction."""
    await connection.execute(SQL.write_alone)
    return (await connection.execute(SQL.delete_old_accesses, (before,))).rowcount


def _row(access: Access, times: int) -> dict[str, object]:
    return {
        "at": access.at,
        "hour": access.hour,
        "times": times,
        "action": access.action,
        "outcome": access.outcome,
        "reason": access.reason,
        "user_id": access.user_id,
        "email": _spell(access.email),
        "role": access.role,
        "object_id": access.object_id,
        "request_id": access.request_id,
        "address": access.address,
        "user_agent": access.user_agent,
    }


def _spell(email: str | None) -> str | None:
    try:
        return None if email is None else normalise_email(email)
    except UnfitEmail:
        return None
