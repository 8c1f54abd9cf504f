"""Users: registering, finding, verifying."""

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from database.connect import Connection, Pool
from database.queries import load
from domain.actor import Role
from domain.errors import Invalid, NotFound, Refused
from domain.ids import RandomBytes, uuid7
from identity.email import is_unusual, normalise_email
from identity.keypair import store_key_pair
from identity.password import Enrolment, Locksmith, store_password
from identity.role import SELF_SERVICE, UnfitRole, change_roles

SQL = load("identity", "user.sql")
LONGEST_NAME = 200
PHONE_CHARACTERS = frozenset("+0123456789 ()-")
LONGEST_PHONE = 32


class EmailTaken(Refused):
    """Somebody has registered with this e-mail address."""

    code = "email_taken"


class UnfitName(Invalid):
    """A name has 1 to 200 characters, none of them for control."""

    code = "unfit_name"


class UnfitPhone(Invalid):
    """A phone number has digits, spaces, brackets, hyphens and a plus sign, at most 32."""

    code = "unfit_phone"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """Somebody who is about to be created; e-mail in any spelling."""

    email: str = field(repr=False)
    display_name: str = field(repr=False)
    legal_name: str = field(repr=False)
    phone: str | None = field(default=None, repr=False)
    roles: frozenset[Role] = SELF_SERVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A row of `users` with its roles; `repr` shows no personal data."""

    id: UUID
    email: str | None = field(repr=False)
    email_is_unusual: bool
    display_name: str = field(repr=False)
    legal_name: str = field(repr=False)
    phone: str | None = field(repr=False)
    created_at: datetime
    verified_at: datetime | None
    disabled_at: datetime | None
    role_names: list[str] = field(repr=False)

    @property
    def roles(self) -> frozenset[Role]:
        """What the user may do."""
        return frozenset(Role(name) for name in self.role_names)


async def register(
    pool: Pool, locksmith: Locksmith, new: NewUser, password: str, *, at: datetime, random_bytes: RandomBytes
) -> User:
    """Create somebody who comes by themselves: unverified, buyer or seller at most.

    Raises UnfitRole, and what `create_user` raises; TooManySignIns before anything is asked of the database. Send a
    code afterwards (`email_code.send_code`).
    """
    if not new.roles or not new.roles <= SELF_SERVICE:
        raise UnfitRole
    with locksmith.enter(None):
        return await create_user(pool, locksmith, new, password, at=at, random_bytes=random_bytes)


async def create_user(
    pool: Pool, locksmith: Locksmith, new: NewUser, password: str, *, at: datetime, random_bytes: RandomBytes
) -> User:
    """Create a user with any roles, unverified, with password and key pair, all in one transaction.

    Raises UnfitEmail, UnfitName, UnfitPhone, EmailTaken, what is wrong with the password, or TooManySignIns.
    """
    user_id = uuid7(at, random_bytes)
    row = _make_row(user_id, new, at)
    # No connection is held while Argon2 works: a flood of registrations must not drain the pool.
    enrolment = await locksmith.enrol(user_id, password)
    async with pool.connection() as connection, connection.transaction():
        await _insert(connection, user_id, row, enrolment, new.roles, at)
        return await get_user(connection, user_id)


async def _insert(
    connection: Connection,
    user_id: UUID,
    row: dict[str, UUID | str | bool | datetime | None],
    enrolment: Enrolment,
    roles: frozenset[Role],
    at: datetime,
) -> None:
    # ON CONFLICT and not a caught UniqueViolation: that one would write the address into the server's log.
    cursor = await connection.execute(SQL.insert_user, row)
    if await cursor.fetchone() is None:
        raise EmailTaken
    await store_password(connection, user_id, enrolment.password, at)
    await store_key_pair(connection, user_id, enrolment.key_pair, at)
    await change_roles(connection, user_id, grant=roles, revoke=frozenset(), at=at)


def _make_row(user_id: UUID, new: NewUser, at: datetime) -> dict[str, UUID | str | bool | datetime | None]:
    email = normalise_email(new.email)
    return {
        "id": user_id,
        "email": email,
        "email_is_unusual": is_unusual(email),
        "display_name": _check_name(new.display_name),
        "legal_name": _check_name(new.legal_name),
        "phone": _check_phone(new.phone),
        "at": at,
    }


def _check_name(text: str) -> str:
    name = unicodedata.normalize("NFC", text.strip())
    if not 1 <= len(name) <= LONGEST_NAME or any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise UnfitName
    return name


def _check_phone(text: str | None) -> str | None:
    if text is not None and not (1 <= len(text) <= LONGEST_PHONE and PHONE_CHARACTERS.issuperset(text)):
        raise UnfitPhone
    return text


async def get_user(connection: Connection, user_id: UUID) -> User:
    """Everything about one user. Raises NotFound."""
    cursor = connection.cursor(row_factory=class_row(User))
    await cursor.execute(SQL.get_user, (user_id,))
    user = await cursor.fetchone()
    if user is None:
        raise NotFound
    return user


async def find_user(connection: Connection, email: str) -> User | None:
    """The user with this e-mail address in any spelling, or None. Raises UnfitEmail."""
    cursor = connection.cursor(row_factory=class_row(User))
    await cursor.execute(SQL.find_user, (normalise_email(email),))
    return await cursor.fetchone()


async def verify_email(connection: Connection, user_id: UUID, at: datetime) -> None:
    """Record that the e-mail address is the user's; the first time stands."""
    await connection.execute(SQL.verify_email, {"user_id": user_id, "at": at})
