"""What `escrow user` does: identity in its tables, roles in the log as well."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from api.http.query import parse_id
from cli.connection import run_as
from cli.operator import make_request, run_on_log
from cli.output import print_json, say
from cli.wiring import open_locksmith
from database.clock import read_clock
from database.connect import Pool
from database.settings import Settings
from domain.actor import Role
from domain.errors import Invalid, NotFound
from domain.user import ChangeRoles, RegisterUser
from domain.user import User as UserStream
from eventstore.escrow import Escrow
from identity.access_log import Access, Action, Outcome, write_access
from identity.role import change_roles, list_roles
from identity.second_factor import NEEDS_SECOND_FACTOR, enrol_second_factor, get_second_factor
from identity.session import end_sessions
from identity.totp import Seed
from identity.user import NewUser, User, create_user, find_user, get_user, verify_email
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
    user_id, given = run_on_log(settings, lambda pool, escrow: _create(pool, escrow, settings, new, password))
    _print_account(user_id, new.roles, given, as_json=as_json)


def replace_second_factor(*, email: str, as_json: bool) -> None:
    """Give somebody who has lost his app and his recovery codes new ones, and end his sessions."""
    settings = Settings()
    user, given = run_as("app", settings, lambda pool: _replace(pool, settings, email))
    _print_account(user.id, user.roles, given, as_json=as_json)


def set_roles(*, email: str, roles: Sequence[str], as_json: bool) -> None:
    """Grant what is missing and revoke what is too much; say so of one whose roles need a second factor he has not."""
    wanted = parse_roles(roles)
    user_id = run_on_log(Settings(), lambda pool, escrow: apply_roles(pool, escrow, email, wanted))
    _print_account(user_id, wanted, None, as_json=as_json)
    if run_as("app", Settings(), lambda pool: _lacks_second_factor(pool, user_id, wanted)):
        say(f"no second factor yet, so no staff: escrow user second-factor --email {email}")


async def _create(
    pool: Pool, escrow: Escrow, settings: Settings, new: NewUser, password: str
) -> tuple[UUID, Given | None]:
    async with open_locksmith(pool, settings) as locksmith:
        user = await enrol(pool, locksmith, escrow, new, password)
        if new.roles.isdisjoint(NEEDS_SECOND_FACTOR):
            return user.id, None
        return user.id, Given(new.email, *await give_second_factor(pool, locksmith, user.id))


async def _replace(pool: Pool, settings: Settings, email: str) -> tuple[User, Given]:
    async with open_locksmith(pool, settings) as locksmith:
        user = await require_user(pool, email)
        return user, Given(email, *await give_second_factor(pool, locksmith, user.id))


async def enrol(pool: Pool, locksmith: Locksmith, escrow: Escrow, new: NewUser, password: str) -> User:
    """Create a verified user. A crash before the roles stand in the log leaves an account that may do nothing."""
    at = read_clock()
    nobody_yet = replace(new, roles=frozenset[Role]())
    user_id = (await create_user(pool, locksmith, nobody_yet, password, at=at, random_bytes=os.urandom)).id
    await escrow.execute(user_id, RegisterUser(roles=new.roles), make_request("register", str(user_id), at.isoformat()))
    async with pool.connection() as connection, connection.transaction():
        await change_roles(connection, user_id, grant=new.roles, revoke=frozenset(), at=at)
        await verify_email(connection, user_id, at)
        return await get_user(connection, user_id)


async def give_second_factor(pool: Pool, locksmith: Locksmith, user_id: UUID) -> tuple[Seed, tuple[str, ...]]:
    """Give a user a new app secret and recovery codes, known only now, instead of those before.

    The sessions that were confirmed with those before end in the same transaction: a crash leaves none of them.
    """
    at = read_clock()
    async with pool.connection() as connection, connection.transaction():
        given = await enrol_second_factor(connection, locksmith, user_id, at=at, random_bytes=os.urandom)
        await end_sessions(connection, user_id, at, reason="second_factor")
        return given


async def apply_roles(pool: Pool, escrow: Escrow, email: str, wanted: frozenset[Role]) -> UUID:
    """Set exactly these roles. Raises NotFound.

    What is revoked ends before the log says so, and what is granted begins after: a crash in between leaves nothing in
    force that is not on record, and the same again completes it.
    """
    at, user_id = read_clock(), (await require_user(pool, email)).id
    async with pool.connection() as connection:
        present = await list_roles(connection, user_id)
        async with connection.transaction():
            await change_roles(connection, user_id, grant=frozenset(), revoke=present - wanted, at=at)
    try:
        await escrow.get(UserStream, user_id)
    except NotFound:
        await escrow.execute(
            user_id, RegisterUser(roles=present), make_request("register", str(user_id), at.isoformat())
        )
    request = make_request("roles", str(user_id), at.isoformat())
    await escrow.execute(user_id, ChangeRoles(roles=wanted), request)
    async with pool.connection() as connection, connection.transaction():
        await change_roles(connection, user_id, grant=wanted - present, revoke=frozenset(), at=at)
    await write_access(pool, _describe_change(user_id, wanted, at, request.request_id))
    return user_id


async def _lacks_second_factor(pool: Pool, user_id: UUID, roles: frozenset[Role]) -> bool:
    async with pool.connection() as connection:
        found = await get_second_factor(connection, user_id)
    return not found.was_given and not roles.isdisjoint(NEEDS_SECOND_FACTOR)


async def require_user(pool: Pool, email: str) -> User:
    """Return the user with this address. Raises NotFound."""
    async with pool.connection() as connection:
        user = await find_user(connection, email)
    if user is None:
        raise NotFound
    return user


def require_id(text: str) -> UUID:
    """Return the id that somebody typed. Raises NotFound: what is no id names nothing."""
    found = parse_id(text)
    if found is None:
        raise NotFound
    return found


def _describe_change(user_id: UUID, wanted: frozenset[Role], at: datetime, request_id: str) -> Access:
    return Access(
        at=at,
        hour=at.replace(minute=0, second=0, microsecond=0),
        action=Action.ROLE_CHANGE,
        outcome=Outcome.GRANTED,
        reason="command_line",
        user_id=user_id,
        role=",".join(sorted(wanted)),
        request_id=request_id,
        address=None,
        user_agent=None,
    )


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
