"""What of each request goes into the access log, and how: what shows credentials at once, all else a second later.

Whether credentials were shown or refused is written before the answer goes out; where that cannot be written, the
answer is that the database is away, and the secret stays. Reads are gathered and written together: a crash loses a
second of them, and no request waits.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from psycopg import Error
from starlette.requests import Request

from api.http.dry_run import was_dry
from api.http.json_reader import Object
from api.http.problems import translate
from api.http.query import parse_id
from api.http.scope import body_of, request_id_of, session_of, subject_of
from database.connect import Pool
from database.errors import DatabaseUnavailable
from domain.actor import STAFF, Role
from identity.access_log import Access, Action, AlertKind, Outcome, write_accesses
from identity.email import LONGEST_EMAIL

WRITE_AFTER_SECONDS = 1.0
MOST_PER_ADDRESS = 500
MOST_PER_HOUR = 10_000
LONGEST_AGENT = 200
POWERFUL = STAFF | {Role.AUDITOR, Role.OPERATOR}
SEEN_ALREADY = frozenset({"already_revealed", "answer_gone"})
NOT_THEIRS = frozenset({"forbidden", "not_found"})
EXACT = {
    "POST /api/v1/transactions/{transaction_id}/reveal": Action.REVEAL,
    "POST /api/v1/auth/login": Action.SIGN_IN,
    "POST /api/v1/auth/password": Action.PASSWORD_CHANGE,
    "GET /api/v1/users/me/payout-account": Action.PAYOUT_ACCOUNT_READ,
    "PUT /api/v1/users/me/payout-account": Action.PAYOUT_ACCOUNT_CHANGE,
    "GET /api/v1/admin/access-log": Action.ACCESS_LOG_READ,
    "GET /api/v1/admin/security-alerts": Action.ACCESS_LOG_READ,
}
BY_WORD = (
    ("GET", "/contract", Action.CONTRACT_READ),
    ("GET", "/proofs", Action.PROOF_READ),
    ("POST", "/proofs", Action.PROOF_SENT),
    ("DELETE", "/proofs", Action.PROOF_REMOVED),
    ("POST", "/auth/second-factor", Action.SECOND_FACTOR),
    ("DELETE", "/auth/second-factor", Action.SECOND_FACTOR),
    ("POST", "/auth/recovery-key", Action.RECOVERY_KEY),
    ("DELETE", "/auth/recovery-key", Action.RECOVERY_KEY),
    ("POST", "/users/me/api-keys", Action.API_KEY),
    ("DELETE", "/users/me/api-keys", Action.API_KEY),
    ("POST", "/auth/password-reset", Action.PASSWORD_CHANGE),
    ("GET", "/api/v1/audit/", Action.AUDIT_READ),
    ("GET", "/api/v1/admin/transactions/{", Action.TRANSACTION_READ),
    ("GET", "/api/v1/transactions/{", Action.TRANSACTION_READ),
    ("GET", "/api/v1/admin/", Action.ADMIN_READ),
)
OF_STAFF = frozenset({Action.TRANSACTION_READ})
"""Parties read their own transactions all day; that somebody else did is worth a line."""

OF_ACCOUNTS = frozenset({Action.SIGN_IN, Action.PASSWORD_CHANGE})
"""Without a session: the account that is tried is in the body."""

logger = structlog.get_logger("api")


@dataclass(frozen=True, slots=True)
class Watch:
    """What a route does, for the access log."""

    action: Action

    def describe(self, request: Request, at: datetime, error: Exception | None) -> Access | None:
        """Return what is to be written of a request; None for what parties do with what is theirs."""
        session, subject = session_of(request.scope), subject_of(request.scope)
        if self.action in OF_STAFF and (session is None or session.roles.isdisjoint(POWERFUL)):
            return None
        is_unknown = session is None and subject is None
        body = body_of(request.scope) if self.action in OF_ACCOUNTS and is_unknown else None
        return Access(
            at=at,
            hour=at.replace(minute=0, second=0, microsecond=0),
            action=self.action,
            outcome=_outcome(request, error),
            reason=_reason(error),
            user_id=session.user_id if session else subject,
            email=_read_email(body or {}),
            role=",".join(sorted(session.roles)) if session else None,
            object_id=next(filter(None, map(parse_id, request.path_params.values())), None),
            request_id=request_id_of(request.scope),
            address=request.client.host if request.client else None,
            user_agent=read_agent(request),
        )


def watch_of(method: str, path: str) -> Watch | None:
    """Return what a route does for the access log; None for one that nobody asks about."""
    exact = EXACT.get(f"{method} {path}")
    found = exact or next((action for verb, word, action in BY_WORD if verb == method and word in path), None)
    return None if found is None else Watch(found)


def alert_of(access: Access) -> AlertKind | None:
    """Return which alert an access gives rise to: a second showing, or one that is not for this person."""
    if access.action is not Action.REVEAL or access.outcome is not Outcome.REFUSED:
        return None
    if access.reason in SEEN_ALREADY:
        return AlertKind.SECOND_REVEAL
    return AlertKind.FOREIGN_REVEAL if access.reason in NOT_THEIRS else None


def is_urgent(access: Access) -> bool:
    """Whether it is written before the answer goes out: who is not signed in is shown nothing, and may be many."""
    return access.action is Action.REVEAL and access.user_id is not None


class AccessLog:
    """Gathers what can wait. What is the same within an hour is counted; what is too many is counted together."""

    def __init__(self) -> None:
        self._waiting: Counter[Access] = Counter()
        self._writing: asyncio.Task[None] | None = None
        self._hour: datetime | None = None
        self._known: set[Access] = set()
        self._by_address: Counter[str | None] = Counter()

    def put(self, pool: Pool, access: Access) -> None:
        """Keep an access to be written within a second or two."""
        self._waiting[self._bound(access)] += 1
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon(pool))

    async def close(self, pool: Pool) -> None:
        """Write what waits."""
        if self._writing is not None:
            self._writing.cancel()
            with suppress(asyncio.CancelledError):
                await self._writing
        await self._write(pool)

    def _bound(self, access: Access) -> Access:
        """One address, and all of them together, are worth so many different lines an hour."""
        if access.hour != self._hour:
            self._hour = access.hour
            self._known.clear()
            self._by_address.clear()
        if access in self._known:
            return access
        if len(self._known) >= MOST_PER_HOUR:
            return replace(access.among_many(), address=None, user_agent=None)
        if self._by_address[access.address] >= MOST_PER_ADDRESS:
            return access.among_many()
        self._known.add(access)
        self._by_address[access.address] += 1
        return access

    async def _write_soon(self, pool: Pool) -> None:
        while self._waiting:
            await asyncio.sleep(WRITE_AFTER_SECONDS)
            await self._write(pool)

    async def _write(self, pool: Pool) -> None:
        waiting, self._waiting = self._waiting, Counter()
        if not waiting:
            return
        try:
            await write_accesses(pool, list(waiting.items()))
        except (Error, DatabaseUnavailable, OSError) as error:
            # Bounded, as the same is counted: what was not written now is written with the next.
            self._waiting.update(waiting)
            logger.warning("accesses_not_written", accesses=len(waiting), error=type(error).__name__)
        except asyncio.CancelledError:
            self._waiting.update(waiting)
            raise


def read_agent(request: Request) -> str | None:
    """Return what the program calls itself, shortened and printable."""
    text = (request.headers.get("user-agent") or "")[:LONGEST_AGENT]
    return "".join(each if each.isprintable() else "?" for each in text) or None


def _read_email(body: Object) -> str | None:
    """Return the address in a body, which may have been refused: what is too long for one is not kept in memory."""
    email = body.get("email")
    return email if isinstance(email, str) and len(email) <= LONGEST_EMAIL else None


def _outcome(request: Request, error: Exception | None) -> Outcome:
    if error is None:
        return Outcome.REHEARSED if was_dry(request.scope) else Outcome.GRANTED
    return Outcome.REFUSED if translate(error).is_refusal else Outcome.FAILED


def _reason(error: Exception | None) -> str | None:
    return None if error is None else translate(error).code
