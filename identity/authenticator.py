"""From a bearer token to a session, on the way of every request: an answer serves for one more request at most."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from database.connect import Pool
from database.queries import load
from domain.actor import Role
from domain.ids import Clock
from identity.api_key import USED_WITHIN, Scope, hash_key, note_use
from identity.second_factor import NEEDS_SECOND_FACTOR, Method
from identity.session import NotSignedIn
from identity.token import ACCESS, hash_token

SQL = load("identity", "session.sql")
REMEMBERED_SECONDS = 1.0
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who makes a request, and what they may do.

    `withheld` are roles of the user that the session has not, as only a password was shown. `confirmed_at` is when the
    person was last confirmed by more than that, and `confirmed_by` by what. `scopes` are those of an API key, None for
    a person; for a key, `id` is its own.
    """

    id: UUID
    user_id: UUID
    roles: frozenset[Role]
    withheld: frozenset[Role] = frozenset()
    is_verified: bool
    expires_at: datetime
    confirmed_at: datetime | None = None
    confirmed_by: Method | None = None
    scopes: frozenset[Scope] | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """A session that serves once more, and until when on the monotonic clock."""

    session: Session
    until: float


Asked = asyncio.Future[Session | None]


class Authenticator:
    """Answers every other request of a session from memory, and all who ask at the same moment with one statement.

    A change made in this process is seen at once if the one who makes it calls `forget`; of one made in another process
    one more request may know nothing, within a second.
    """

    def __init__(self, pool: Pool, clock: Clock, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`clock` decides what has expired, `monotonic` how long an answer is remembered."""
        self._pool = pool
        self._clock = clock
        self._monotonic = monotonic
        self._remembered: dict[bytes, Remembered] = {}
        self._forgotten = 0
        self._waiting: list[tuple[bytes, Asked]] = []
        self._answering: asyncio.Task[None] | None = None

    async def authenticate(self, token: str) -> Session:
        """The session of an access token or API key. Raises NotSignedIn."""
        token_hash = hash_token(ACCESS, token) or hash_key(token)
        if token_hash is None:
            raise NotSignedIn
        at = self._clock()
        remembered = self._remembered.pop(token_hash, None)
        if remembered and self._monotonic() < remembered.until and at < remembered.session.expires_at:
            return remembered.session
        return await self._ask(token_hash)

    async def _ask(self, token_hash: bytes) -> Session:
        """Wait for the next statement: one that is under way may not have seen what the asker knows to be done."""
        asked: Asked = asyncio.get_running_loop().create_future()
        self._waiting.append((token_hash, asked))
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer())
        session = await asked
        if session is None:
            raise NotSignedIn
        return session

    async def _answer(self) -> None:
        """Look up all who wait with one statement, until nobody does: when a second is over, a herd comes at once."""
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    found = await self._find({token_hash for token_hash, _ in batch})
                except Exception as error:
                    _settle(batch, lambda asked, _, error=error: asked.set_exception(error))
                else:
                    _settle(batch, lambda asked, token_hash, found=found: asked.set_result(found.get(token_hash)))
        finally:
            self._answering = None

    async def _find(self, token_hashes: set[bytes]) -> dict[bytes, Session]:
        until, forgotten = self._monotonic() + REMEMBERED_SECONDS, self._forgotten
        at = self._clock()
        parameters = {"token_hashes": list(token_hashes), "at": at}
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(SQL.authenticate, parameters)).fetchall()
            unnoted = [row[0] for row in rows if row[9] is not None and row[9] < at - USED_WITHIN]
            if unnoted:
                await note_use(connection, unnoted, at)
        found = {row[0]: _session(*row[1:9]) for row in rows}
        # An answer that was on its way while somebody called `forget` may be old already.
        if forgotten == self._forgotten:
            for token_hash, session in found.items():
                self._remember(token_hash, Remembered(session, until))
        return found

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


def _settle(batch: list[tuple[bytes, Asked]], settle: Callable[[Asked, bytes], None]) -> None:
    for token_hash, asked in batch:
        # Whoever has gone away in the meantime has cancelled his.
        if not asked.done():
            settle(asked, token_hash)


def _session(
    session_id: UUID,
    user_id: UUID,
    is_verified: bool,
    expires_at: datetime,
    confirmed_at: datetime | None,
    confirmed_by: str | None,
    names: list[str],
    scope_names: list[str] | None,
) -> Session:
    roles = frozenset(Role(name) for name in names)
    scopes = None if scope_names is None else frozenset(Scope(name) for name in scope_names)
    method = None if confirmed_by is None else Method(confirmed_by)
    is_proven = scopes is not None or (method is not None and method.is_second_factor)
    withheld = frozenset[Role]() if is_proven else roles & NEEDS_SECOND_FACTOR
    return Session(
        id=session_id,
        user_id=user_id,
        roles=roles - withheld,
        withheld=withheld,
        is_verified=is_verified,
        expires_at=expires_at,
        confirmed_at=confirmed_at,
        confirmed_by=method,
        scopes=scopes,
    )
