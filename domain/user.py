"""A user in the log: an opaque id and the roles that were granted to it. Everything personal lives outside the log."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.actor import IN_CHARGE, Actor, Role
from domain.aggregate import Aggregate
from domain.command import Command, CreationCommand
from domain.errors import Forbidden, Invalid
from domain.event import Context, CreatedEvent, Event


class RoleNotGrantable(Invalid):
    """The system role belongs to the program; nobody can be given it."""

    code = "role_not_grantable"


class AccountDoubt(StrEnum):
    """Why the log does not vouch for the account that stands outside it; `REFUSED`: the processor does not take it.

    `MISSING` and `OTHER_CURRENCY`: there is none any more, or none for this money.
    """

    DIFFERS = "differs"
    SALT_MISSING = "salt_missing"
    NEVER_NAMED = "never_named"
    REFUSED = "refused"
    MISSING = "missing"
    OTHER_CURRENCY = "other_currency"


class UserRegistered(CreatedEvent):
    """Somebody has an account; the roles are those he starts with."""

    TOPIC = "user.registered.v1"
    roles: tuple[Role, ...]


class RoleGranted(Event):
    """A role was granted, by whom the event's actor says."""

    TOPIC = "user.role_granted.v1"
    role: Role

    def apply(self, aggregate: "User") -> None:
        """He has it from now on."""
        aggregate.roles |= {self.role}


class RoleRevoked(Event):
    """A role was taken away."""

    TOPIC = "user.role_revoked.v1"
    role: Role

    def apply(self, aggregate: "User") -> None:
        """He has it no more."""
        aggregate.roles -= {self.role}


class PayoutAccountChangedUnhashed(Event):
    """The same as `user.payout_account_changed.v2`, as it was recorded before that: without the hash of the account."""

    TOPIC = "user.payout_account_changed.v1"
    usable_at: datetime
    shared_with: tuple[UUID, ...]
    name_matches: bool | None

    def apply(self, aggregate: "User") -> None:
        """Nothing is paid to it before; which account it is, the log cannot tell."""
        aggregate.payout_usable_at = self.usable_at
        aggregate.account_sha256 = None


class PayoutAccountChanged(Event):
    """Somebody is paid elsewhere from now on; where, stands outside the log, with the salt of `account_sha256`.

    `shared_with` are others who are paid to the same account. `name_matches` compares the bank's name of the holder
    with his own; None where the bank was not asked.
    """

    TOPIC = "user.payout_account_changed.v2"
    account_sha256: str
    usable_at: datetime
    shared_with: tuple[UUID, ...]
    name_matches: bool | None

    def apply(self, aggregate: "User") -> None:
        """Nothing is paid to it before, and to no other afterwards."""
        aggregate.payout_usable_at = self.usable_at
        aggregate.account_sha256 = self.account_sha256


class User(Aggregate):
    """The roles of one user, provable from the log."""

    TOPIC = "user"

    def __init__(self, roles: tuple[Role, ...]) -> None:
        self.roles = frozenset(roles)
        self.payout_usable_at: datetime | None = None
        self.account_sha256: str | None = None

    @property
    def state(self) -> str:
        """The roles, in alphabetical order."""
        return ",".join(sorted(self.roles))

    def allowed_actions(self, actor: Actor, at: datetime) -> tuple[str, ...]:
        """Super administrators grant and revoke roles."""
        return ("grant-role", "revoke-role") if actor.role is Role.SUPER_ADMIN else ()

    def doubt_account(self, sha256: str | None) -> AccountDoubt | None:
        """Return why the account outside the log is not the one he named; None when it is, or the log has no hash.

        `sha256` is the hash of what stands there, None without a salt.
        """
        if self.payout_usable_at is None:
            return AccountDoubt.NEVER_NAMED
        if self.account_sha256 in {None, sha256}:
            return None
        return AccountDoubt.SALT_MISSING if sha256 is None else AccountDoubt.DIFFERS

    def change_payout_account(
        self,
        account_sha256: str,
        *,
        is_first: bool,
        cooling_seconds: int,
        shared_with: tuple[UUID, ...],
        name_matches: bool | None,
    ) -> None:
        """He says where he is paid. A first account can be used at once, a change of it after a while.

        That it is the first, both the table outside and the log have to say: a row is soon deleted.
        """
        if self.actor.id != str(self.id):
            raise Forbidden
        wait = timedelta() if is_first and self.payout_usable_at is None else timedelta(seconds=cooling_seconds)
        usable_at = max(self.now + wait, self.payout_usable_at or self.now)
        self.record(
            PayoutAccountChanged,
            account_sha256=account_sha256,
            usable_at=usable_at,
            shared_with=shared_with,
            name_matches=name_matches,
        )

    def change_roles(self, roles: frozenset[Role]) -> None:
        """Grant what is missing and revoke what is too much, in a stable order."""
        if self.actor.role not in IN_CHARGE:
            raise Forbidden
        require_grantable(roles)
        for role in sorted(roles - self.roles):
            self.record(RoleGranted, role=role)
        for role in sorted(self.roles - roles):
            self.record(RoleRevoked, role=role)


def require_grantable(roles: frozenset[Role]) -> None:
    """Raise `RoleNotGrantable` when the program's own role is among them."""
    if Role.SYSTEM in roles:
        raise RoleNotGrantable


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterUser(CreationCommand[User]):
    """Somebody has an account now; his stream has his id."""

    aggregate_type = User
    roles: frozenset[Role]

    def create(self, stream_id: UUID, context: Context, *sources: Aggregate) -> User:
        """Return the new stream."""
        require_grantable(self.roles)
        return User.start(UserRegistered, stream_id, context, roles=tuple(sorted(self.roles)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRoles(Command[User]):
    """A super_admin, or the command line, decides who may do what."""

    aggregate_type = User
    roles: frozenset[Role]

    def decide(self, aggregate: User, *related: Aggregate) -> None:
        """Call `User.change_roles`."""
        aggregate.change_roles(self.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePayoutAccount(Command[User]):
    """Somebody says where he is paid; `account_sha256` is a salted hash of it."""

    aggregate_type = User
    account_sha256: str
    is_first: bool
    cooling_seconds: int
    shared_with: tuple[UUID, ...] = ()
    name_matches: bool | None = None

    def decide(self, aggregate: User, *related: Aggregate) -> None:
        """Call `User.change_payout_account`."""
        aggregate.change_payout_account(
            self.account_sha256,
            is_first=self.is_first,
            cooling_seconds=self.cooling_seconds,
            shared_with=self.shared_with,
            name_matches=self.name_matches,
        )
