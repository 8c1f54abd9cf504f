"""What `escrow user` does: identity in its tables, roles in the log as well."""

import asyncio
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cli.api_keys import require_user
from cli.clock import read_clock
from cli.database import running_server
from cli.output import print_json, say
from cli.wiring import new_id, open_locksmith
from database.connect import Pool, open_pool, resolve_dsn
from database.settings import Settings
from domain.actor import Actor, Role
from domain.errors import Invalid, NotFound
from domain.user import ChangeRoles, RegisterUser
from domain.user import User as UserStream
from eventstore.appender import Appender
from eventstore.escrow import Escrow, Request
from identity.access_log import Access, Action, Outcome, write_access
from identity.role import change_roles, list_roles
from identity.second_factor import NEEDS_SECOND_FACTOR, enrol_second_factor
from identity.session import end_sessions
from identity.totp import Seed
from identity.user import NewUser, User, create_user, verify_email
from vault.locksmith import Locksmith


@dataclass(frozen=True, slots=True)
class Given:
    """A second factor on its way to its owner, for an account."""

    account: str
    seed: Seed
    recovery_codes: tuple[str, ...]

    @property
    def uri(self) -> str:
        """What an app reads."""
        return self.seed.get_uri(self.account)


OPERATOR = Actor("command-line", Role.SYSTEM)


class RoleUnknown(Invalid):
    """A role is one of buyer, seller, admin, super_admin, auditor and operator."""

    code = "role_unknown"


def parse_roles(names: Sequence[str]) -> frozenset[Role]:
    """Return the roles with these names; raise `RoleUnknown`."""
    try:
        roles = frozenset(Role(name) for name in names)
    except ValueError:
        raise RoleUnknown from None
    if Role.SYSTEM in roles:
        raise RoleUnknown
    return roles


def create_account(
    *, email: str, name: str, legal_name: str, roles: Sequence[str], password: str, as_json: bool
) -> None:
    """Create a verified user and print his id; whoever needs a second factor gets one, shown once."""
    settings = Settings()
    new = NewUser(email=email, display_name=name, legal_name=legal_name, roles=parse_roles(roles))
    with running_server(settings):
        user_id, given = asyncio.run(_create(settings, new, password))
    _print_account(user_id, new.roles, given, as_json=as_json)


def replace_second_factor(*, email: str, as_json: bool) -> None:
    """Give somebody who has lost his app and his recovery codes new ones, and end his sessions."""
    settings = Settings()
    with running_server(settings):
        user, given = asyncio.run(_replace(settings, email))
    _print_account(user.id, user.roles, given, as_json=as_json)


def set_roles(*, email: str, roles: Sequence[str], as_json: bool) -> None:
    """Grant what is missing and revoke what is too much."""
    settings = Settings()
    wanted = parse_roles(roles)
    with running_server(settings):
        user_id = asyncio.run(_set_roles(settings, email, wanted))
    _print_account(user_id, wanted, None, as_json=as_json)


async def _create(settings: Settings, new: NewUser, password: str) -> tuple[UUID, Given | None]:
    dsn = resolve_dsn(settings, "app")
    async with (
        open_pool(dsn, max_size=2, autocommit=True) as pool,
        Appender(dsn) as appender,
        open_locksmith(pool, settings) as locksmith,
    ):
        user = await enrol(pool, locksmith, open_escrow(pool, appender), new, password)
        if new.roles.isdisjoint(NEEDS_SECOND_FACTOR):
            return user.id, None
        return user.id, Given(new.email, *await give_second_factor(pool, locksmith, user.id))


async def _replace(settings: Settings, email: str) -> tuple[User, Given]:
    async with (
        open_pool(resolve_dsn(settings, "app"), max_size=2, autocommit=True) as pool,
        open_locksmith(pool, settings) as locksmith,
    ):
        user = await require_user(pool, email)
        given = Given(email, *await give_second_factor(pool, locksmith, user.id))
        async with pool.connection() as connection:
            await end_sessions(connection, user.id, read_clock())
        return user, given


async def enrol(pool: Pool, locksmith: Locksmith, escrow: Escrow, new: NewUser, password: str) -> User:
    """Create a verified user whose roles stand in the log."""
    at = read_clock()
    user = await create_user(pool, locksmith, new, password, at=at, random_bytes=os.urandom)
    async with pool.connection() as connection:
        await verify_email(connection, user.id, at)
    await escrow.execute(user.id, RegisterUser(roles=new.roles), _request("register", user.id, at))
    return user


async def give_second_factor(pool: Pool, locksmith: Locksmith, user_id: UUID) -> tuple[Seed, tuple[str, ...]]:
    """Give a user a new app secret and recovery codes instead of those before; both are known only now."""
    async with pool.connection() as connection, connection.transaction():
        return await enrol_second_factor(connection, locksmith, user_id, at=read_clock(), random_bytes=os.urandom)


async def _set_roles(settings: Settings, email: str, wanted: frozenset[Role]) -> UUID:
    dsn = resolve_dsn(settings, "app")
    async with open_pool(dsn, max_size=2, autocommit=True) as pool, Appender(dsn) as appender:
        user = await require_user(pool, email)
        await _change(pool, open_escrow(pool, appender), user.id, wanted)
        return user.id


async def _change(pool: Pool, escrow: Escrow, user_id: UUID, wanted: frozenset[Role]) -> None:
    """The log first: a crash between the two leaves a role that is on record but not yet in force."""
    at = read_clock()
    async with pool.connection() as connection:
        present = await list_roles(connection, user_id)
    try:
        await escrow.get(UserStream, user_id)
    except NotFound:
        await escrow.execute(user_id, RegisterUser(roles=present), _request("register", user_id, at))
    await escrow.execute(user_id, ChangeRoles(roles=wanted), _request("roles", user_id, at))
    async with pool.connection() as connection, connection.transaction():
        await change_roles(connection, user_id, grant=wanted - present, revoke=present - wanted, at=at)
    await write_access(pool, _describe_change(user_id, wanted, at))


def _describe_change(user_id: UUID, wanted: frozenset[Role], at: datetime) -> Access:
    return Access(
        at=at,
        hour=at.replace(minute=0, second=0, microsecond=0),
        action=Action.ROLE_CHANGE,
        outcome=Outcome.GRANTED,
        reason="command_line",
        user_id=user_id,
        role=",".join(sorted(wanted)),
        request_id=_request("roles", user_id, at).request_id,
        address=None,
        user_agent=None,
    )


def open_escrow(pool: Pool, appender: Appender) -> Escrow:
    """Return the way to the log for a command of the command line."""
    return Escrow(pool, appender, read_clock, lambda: new_id(read_clock))


def _request(purpose: str, user_id: UUID, at: datetime) -> Request:
    digest = hashlib.sha256(f"{purpose}:{user_id}:{at.isoformat()}".encode()).digest()
    return Request(actor=OPERATOR, command_id=digest, digest=digest, request_id=digest.hex()[:32])


def _print_account(user_id: UUID, roles: frozenset[Role], given: Given | None, *, as_json: bool) -> None:
    names = sorted(roles)
    secrets = {} if given is None else {"app_uri": given.uri, "recovery_codes": given.recovery_codes}
    if as_json:
        print_json({"id": user_id, "roles": names, **secrets})
        return
    say(f"roles: {', '.join(names)}")
    if given is not None:
        say(f"authenticator app, shown once: {given.uri}")
        say(f"recovery codes, shown once: {' '.join(given.recovery_codes)}")
    print(user_id)
