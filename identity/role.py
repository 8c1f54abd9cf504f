"""Who may do what. Every change is an event too: the caller appends it with what `change_roles` returns."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from database.connect import Connection
from database.queries import load
from domain.actor import Role
from domain.errors import Invalid, NotFound

SQL = load("identity", "role.sql")

SELF_SERVICE = frozenset({Role.BUYER, Role.SELLER})
"""What somebody may register as; everything else is granted."""


class UnfitRole(Invalid):
    """This role is not given to people in this way."""

    code = "unfit_role"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChange:
    """What a user could do before and can do now."""

    user_id: UUID
    before: frozenset[Role]
    after: frozenset[Role]

    @property
    def granted(self) -> frozenset[Role]:
        """New ones."""
        return self.after - self.before

    @property
    def revoked(self) -> frozenset[Role]:
        """Lost ones."""
        return self.before - self.after


async def change_roles(
    connection: Connection, user_id: UUID, *, grant: AbstractSet[Role], revoke: AbstractSet[Role], at: datetime
) -> RoleChange:
    """Grant, then revoke. Call inside a transaction, and `Authenticator.forget` the user after its commit.

    Raises UnfitRole for the role of the system, NotFound for an unknown user.
    """
    if Role.SYSTEM in grant:
        raise UnfitRole
    cursor = await connection.execute(SQL.lock_user, (user_id,))
    if await cursor.fetchone() is None:
        raise NotFound
    before = await list_roles(connection, user_id)
    await connection.execute(SQL.insert_roles, {"user_id": user_id, "roles": _names(grant), "at": at})
    await connection.execute(SQL.delete_roles, {"user_id": user_id, "roles": _names(revoke)})
    return RoleChange(user_id=user_id, before=before, after=await list_roles(connection, user_id))


def _names(roles: AbstractSet[Role]) -> list[str]:
    return sorted(role.value for role in roles)


async def list_roles(connection: Connection, user_id: UUID) -> frozenset[Role]:
    """What a user may do now."""
    cursor = await connection.execute(SQL.list_roles, (user_id,))
    return frozenset(Role(role) for (role,) in await cursor.fetchall())
