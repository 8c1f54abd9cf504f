"""What `escrow user` does: identity in its tables, roles in the log as well."""

import asyncio
import hashlib
import os
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from cli.database import running_server
from cli.output import print_json, say
from cli.wiring import new_id, open_locksmith, read_clock
from database.connect import Pool, open_pool, resolve_dsn
from database.settings import Settings
from domain.actor import Actor, Role
from domain.errors import Invalid, NotFound
from domain.user import ChangeRoles, RegisterUser
from domain.user import User as UserStream
from eventstore.appender import Appender
from eventstore.escrow import Escrow, Request
from identity.role import change_roles, list_roles
from identity.user import NewUser, User, create_user, find_user, verify_email
from vault.locksmith import Locksmith

OPERATOR = Actor("command-line", Role.SYSTEM)


class RoleUnknown(Invalid):
    """A role is one of buyer, seller, admin, super_admin and auditor."""

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
    """Create a verified user and print his id."""
    settings = Settings()
    new = NewUser(email=email, display_name=name, legal_name=legal_name, roles=parse_roles(roles))
    with running_server(settings):
        user_id = asyncio.run(_create(settings, new, password))
    _print_account(user_id, new.roles, as_json=as_json)


def set_roles(*, email: str, roles: Sequence[str], as_json: bool) -> None:
    """Grant what is missing and revoke what is too much."""
    settings = Settings()
    wanted = parse_roles(roles)
    with running_server(settings):
        user_id = asyncio.run(_set_roles(settings, email, wanted))
    _print_account(user_id, wanted, as_json=as_json)


async def _create(settings: Settings, new: NewUser, password: str) -> UUID:
    dsn = resolve_dsn(settings, "app")
    async with (
        open_pool(dsn, max_size=2, autocommit=True) as pool,
        Appender(dsn) as appender,
        open_locksmith(pool, settings) as locksmith,
    ):
        user = await enrol(pool, locksmith, open_escrow(pool, appender), new, password)
        return user.id


async def enrol(pool: Pool, locksmith: Locksmith, escrow: Escrow, new: NewUser, password: str) -> User:
    """Create a verified user whose roles stand in the log."""
    at = read_clock()
    user = await create_user(pool, locksmith, new, password, at=at, random_bytes=os.urandom)
    async with pool.connection() as connection:
        await verify_email(connection, user.id, at)
    await escrow.execute(user.id, RegisterUser(roles=new.roles), _request("register", user.id, at))
    return user


async def _set_roles(settings: Settings, email: str, wanted: frozenset[Role]) -> UUID:
    dsn = resolve_dsn(settings, "app")
    async with open_pool(dsn, max_size=2, autocommit=True) as pool, Appender(dsn) as appender:
        async with pool.connection() as connection:
            user = await find_user(connection, email)
        if user is None:
            raise NotFound
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


def open_escrow(pool: Pool, appender: Appender) -> Escrow:
    """Return the way to the log for a command of the command line."""
    return Escrow(pool, appender, read_clock, lambda: new_id(read_clock))


def _request(purpose: str, user_id: UUID, at: datetime) -> Request:
    digest = hashlib.sha256(f"{purpose}:{user_id}:{at.isoformat()}".encode()).digest()
    return Request(actor=OPERATOR, command_id=digest, digest=digest, request_id=digest.hex()[:32])


def _print_account(user_id: UUID, roles: frozenset[Role], *, as_json: bool) -> None:
    names = sorted(roles)
    if as_json:
        print_json({"id": user_id, "roles": names})
    else:
        say(f"roles: {', '.join(names)}")
        print(user_id)
