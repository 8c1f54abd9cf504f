"""From a bearer token to a session, on the way of every request: remembered for a second at most."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from database.connect import Pool
from database.queries import load
from domain.actor import Role
from domain.ids import Clock
from identity.session import NotSignedIn
from identity.token import ACCESS, hash_token

SQL = load("identity", "session.sql")
REMEMBERED_SECONDS = 1.0
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who makes a request, and what they may do."""

    id: UUID
    user_id: UUID
    roles: frozenset[Role]
    is_verified: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Remembered:
    """A session and until when, on the monotonic clock, it is not asked for again."""

    session: Session
    until: float


class Authenticator:
    """Answers from memory what it has just asked the database.

    A change made in this process is seen at once if the one who makes it calls `forget`; one made in another process is
    seen within a second.
    """

    def __init__(self, pool: Pool, clock: Clock, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`clock` decides what has expired, `monotonic` how long an answer is remembered."""
        self._pool = pool
        self._clock = clock
        self._monotonic = monotonic
        self._remembered: dict[bytes, Remembered] = {}
        self._forgotten = 0

    async def authenticate(self, token: str) -> Session:
        """The session of an access token. Raises NotSignedIn."""
        token_hash = hash_token(ACCESS, token)
        if token_hash is None:
            raise NotSignedIn
        at = self._clock()
        remembered = self._remembered.get(token_hash)
        if remembered and self._monotonic() < remembered.until and at < remembered.session.expires_at:
            return remembered.session
        return await self._ask(token_hash, at)

    async def _ask(self, token_hash: bytes, at: datetime) -> Session:
        until, forgotten = self._monotonic() + REMEMBERED_SECONDS, self._forgotten
        session = await self._find(token_hash, at)
        if session is None:
            self._remembered.pop(token_hash, None)
            raise NotSignedIn
        # An answer that was on its way while somebody called `forget` may be old already.
        if forgotten == self._forgotten:
            self._remember(token_hash, Remembered(session, until))
        return session

    async def _find(self, token_hash: bytes, at: datetime) -> Session | None:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(SQL.authenticate, {"token_hash": token_hash, "at": at})
            row = await cursor.fetchone()
        if row is None:
            return None
        session_id, user_id, is_verified, expires_at, names = row
        return Session(
            id=session_id,
            user_id=user_id,
            roles=frozenset(Role(name) for name in names),
            is_verified=is_verified,
            expires_at=expires_at,
        )

    def _remember(self, token_hash: bytes, remembered: Remembered) -> None:
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[token_hash] = remembered

    def forget(self, user_id: UUID) -> None:
        """Ask again at this user's next request: call it after a logout, a refresh or a change of roles."""
        self._forgotten += 1
        stale = [key for key, remembered in self._remembered.items() if remembered.session.user_id == user_id]
        for key in stale:
            del self._remembered[key]
