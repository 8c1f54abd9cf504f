"""Who acts. An actor is an opaque id and a role, never a name: personal data stays out of the log."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody may do; `SYSTEM` is a reaction of the program, named in the actor's id."""

    BUYER = "buyer"
    SELLER = "seller"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    SYSTEM = "system"


PARTIES = frozenset({Role.BUYER, Role.SELLER})
"""What anybody may be; every other role sees or does more."""
STAFF = frozenset({Role.ADMIN, Role.SUPER_ADMIN})
IN_CHARGE = frozenset({Role.SUPER_ADMIN, Role.SYSTEM})
"""Who decides about the platform itself: super administrators, and the program, as which the command line acts."""

COMMAND_LINE = "command-line"
"""The id of the actor, a `SYSTEM`, that a person is who works at the command line."""


@dataclass(frozen=True, slots=True)
class Actor:
    """`id` is a user's UUID in canonical text, or the name of the reaction that acts."""

    id: str
    role: Role


def reaction(name: str) -> Actor:
    """Return the actor for a part of the program that acts by itself, such as `deadlines` or `payouts`."""
    return Actor(name, Role.SYSTEM)
