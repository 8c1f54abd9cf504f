"""Sessions: a short access token, and a refresh token that is replaced on every use.

All refresh tokens that follow one another from one sign-in are one family, the session. Whoever shows a token of it
that was used before is a thief or was robbed: the whole family ends. Only within two seconds of its use he is refused
and nothing more, since a client that asks twice at once is neither.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from database.connect import Connection, Pool
from database.queries import load
from domain.errors import EscrowError, NotFound
from domain.ids import RandomBytes, uuid7
from identity.email import UnfitEmail, normalise_email
from identity.password import Locksmith, Password, find_password, hold_password
from identity.token import ACCESS, REFRESH, hash_token, make_token

SQL = load("identity", "session.sql")

MOST_LISTED = 100
TWINS = timedelta(seconds=2)
"""So long after its use a refresh token is merely refused."""
LOOKS = 3
"""So often a password is looked at whose record is replaced meanwhile, as when another sign-in makes it cost more."""


class SignInRefused(EscrowError):
    """E-mail address or password is wrong."""

    code = "sign_in_refused"
    status = 401


class NotSignedIn(EscrowError):
    """Sign in first: there is no valid session with this token."""

    code = "not_signed_in"
    status = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """How long tokens last, and how long a session lasts however often it is refreshed."""

    access: timedelta = timedelta(minutes=15)
    refresh: timedelta = timedelta(days=30)
    session: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a client gets, once."""

    user_id: UUID
    session_id: UUID
    access_token: str = field(repr=False)
    access_expires_at: datetime
    refresh_token: str = field(repr=False)
    refresh_expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """Where somebody is signed in: since when, until when, and how the person was last confirmed."""

    id: UUID
    created_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None
    confirmed_by: str | None
    device: str | None = field(repr=False)


async def login(
    pool: Pool,
    locksmith: Locksmith,
    email: str,
    password: str,
    *,
    at: datetime,
    random_bytes: RandomBytes,
    lifetimes: Lifetimes,
) -> Tokens:
    """Start a session. Raises SignInRefused, after the same work whether or not the user exists; TooManySignIns.

    A password that is changed while it is looked at is refused: whoever changes it ends the sessions that there are by
    then, and this one would come later.
    """
    stored = await _find_password(pool, email)
    for _ in range(LOOKS):
        # No connection is held while Argon2 works.
        admitted = await locksmith.admits(password, stored)
        if stored is None or not admitted:
            raise SignInRefused
        async with pool.connection() as connection, connection.transaction():
            present = await hold_password(connection, stored.user_id)
            if present == stored:
                user_id = stored.user_id
                return await start_session(connection, user_id, at=at, random_bytes=random_bytes, lifetimes=lifetimes)
        stored = present
    raise SignInRefused


async def _find_password(pool: Pool, email: str) -> Password | None:
    try:
        normalised = normalise_email(email)
    except UnfitEmail:
        return None
    async with pool.connection() as connection:
        return await find_password(connection, normalised)


async def start_session(
    connection: Connection, user_id: UUID, *, at: datetime, random_bytes: RandomBytes, lifetimes: Lifetimes
) -> Tokens:
    """Start a session for somebody whose identity is established. Call inside a transaction."""
    session_id, ends_at = uuid7(at, random_bytes), at + lifetimes.session
    await connection.execute(SQL.insert_session, {"id": session_id, "user_id": user_id, "at": at, "ends_at": ends_at})
    return await _issue_tokens(connection, Family(session_id, user_id, ends_at), at, random_bytes, lifetimes)


@dataclass(frozen=True, slots=True)
class Family:
    """The session that tokens are issued in."""

    session_id: UUID
    user_id: UUID
    ends_at: datetime


async def _issue_tokens(
    connection: Connection, family: Family, at: datetime, random_bytes: RandomBytes, lifetimes: Lifetimes
) -> Tokens:
    tokens = Tokens(
        user_id=family.user_id,
        session_id=family.session_id,
        access_token=make_token(ACCESS, random_bytes),
        access_expires_at=min(at + lifetimes.access, family.ends_at),
        refresh_token=make_token(REFRESH, random_bytes),
        refresh_expires_at=min(at + lifetimes.refresh, family.ends_at),
    )
    await connection.execute(
        SQL.insert_tokens,
        {
            "session_id": family.session_id,
            "access_hash": hash_token(ACCESS, tokens.access_token),
            "access_expires_at": tokens.access_expires_at,
            "refresh_hash": hash_token(REFRESH, tokens.refresh_token),
            "refresh_expires_at": tokens.refresh_expires_at,
        },
    )
    return tokens


async def refresh(
    pool: Pool, refresh_token: str, *, at: datetime, random_bytes: RandomBytes, lifetimes: Lifetimes
) -> Tokens:
    """Replace both tokens; those before them end. Of several at the same moment one succeeds.

    Raises NotSignedIn for an unknown, expired or revoked token, and for one that was used before: that also ends the
    session, unless it was a moment ago. Call `Authenticator.forget` with the user afterwards.
    """
    token_hash = hash_token(REFRESH, refresh_token)
    if token_hash is None:
        raise NotSignedIn
    async with pool.connection() as connection, connection.transaction():
        # Looked at before it is claimed: somebody who was merely slower than a twin request is refused, while
        # somebody who comes when the token is visibly used ends the family.
        cursor = await connection.execute(SQL.find_used, (token_hash,))
        used = await cursor.fetchone()
        tokens = await _succeed(connection, token_hash, at, random_bytes, lifetimes) if used is None else None
        if used is not None and at - used[1] > TWINS:
            await connection.execute(SQL.revoke_session, {"session_id": used[0], "at": at, "reason": "reuse"})
    if tokens is None:
        raise NotSignedIn
    return tokens


async def _succeed(
    connection: Connection, token_hash: bytes, at: datetime, random_bytes: RandomBytes, lifetimes: Lifetimes
) -> Tokens | None:
    cursor = await connection.execute(SQL.claim_refresh_token, {"token_hash": token_hash, "at": at})
    claimed = await cursor.fetchone()
    if claimed is None:
        return None
    session_id, user_id, ends_at = claimed
    await connection.execute(SQL.delete_access_tokens, (session_id,))
    return await _issue_tokens(connection, Family(session_id, user_id, ends_at), at, random_bytes, lifetimes)


async def logout(connection: Connection, session_id: UUID, at: datetime) -> None:
    """End one session with all its tokens; `Authenticator.forget` the user after the commit. Idempotent."""
    await connection.execute(SQL.revoke_session, {"session_id": session_id, "at": at, "reason": "logout"})


async def end_sessions(connection: Connection, user_id: UUID, at: datetime, *, reason: str) -> None:
    """End all sessions of a user; `Authenticator.forget` the user after the commit. The first reason stands."""
    await connection.execute(SQL.revoke_sessions, {"user_id": user_id, "at": at, "reason": reason})


async def is_going_on(connection: Connection, session_id: UUID) -> bool:
    """Whether nobody has ended this session."""
    return await (await connection.execute(SQL.is_going_on, (session_id,))).fetchone() == (True,)


async def name_device(pool: Pool, session_id: UUID, device: str | None) -> None:
    """Keep what the program that signed in calls itself, for the owner to tell sessions apart by."""
    async with pool.connection() as connection:
        await connection.execute(SQL.name_device, {"session_id": session_id, "device": device})


async def list_sessions(connection: Connection, user_id: UUID, at: datetime) -> list[OpenSession]:
    """The newest hundred sessions of a user that have not ended."""
    cursor = connection.cursor(row_factory=class_row(OpenSession))
    await cursor.execute(SQL.list_sessions, {"user_id": user_id, "at": at, "limit": MOST_LISTED})
    return await cursor.fetchall()


async def revoke_session(connection: Connection, user_id: UUID, session_id: UUID, at: datetime) -> None:
    """End one of the user's own sessions; `Authenticator.forget` the user after the commit. Raises NotFound."""
    row = {"user_id": user_id, "session_id": session_id, "at": at}
    if await (await connection.execute(SQL.revoke_own_session, row)).fetchone() is None:
        raise NotFound


async def delete_ended_sessions(connection: Connection, before: datetime) -> int:
    """Delete sessions that ended before a moment, with their tokens; return how many."""
    cursor = await connection.execute(SQL.delete_ended_sessions, {"before": before})
    return cursor.rowcount
