"""Refusals as exit codes, so that scripts can tell a conflict from a missing thing."""

import sys

from cli.stage import PortTaken
from database.errors import DatabaseError
from database.settings import SettingInvalid
from domain.errors import (
    EscrowError,
    Forbidden,
    IdempotencyMismatch,
    Invalid,
    NotFound,
    PreconditionFailed,
    Refused,
    StillRunning,
    VersionConflict,
)
from gateways.errors import BaseUrlUnsafe, GatewayError
from gateways.paystack.secret import SecretKeyInvalid
from reconciliation.errors import LedgerBehind
from replay.damage import Damage
from vault.pepper import PepperError


class NotReady(EscrowError):
    """Something that the program needs before it can start is missing or wrong."""

    code = "not_ready"


UNEXPECTED, USAGE, DIFFERENCE, PRECONDITION, NOT_FOUND, CONFLICT, REFUSED = 1, 2, 3, 4, 5, 6, 9

CODES: tuple[tuple[type[EscrowError], int], ...] = (
    (NotFound, NOT_FOUND),
    (VersionConflict, CONFLICT),
    (PreconditionFailed, CONFLICT),
    (IdempotencyMismatch, CONFLICT),
    (StillRunning, CONFLICT),
    (Invalid, USAGE),
    (Forbidden, REFUSED),
    (Refused, REFUSED),
    (Damage, DIFFERENCE),
    (DatabaseError, PRECONDITION),
    (PepperError, PRECONDITION),
    (NotReady, PRECONDITION),
    (PortTaken, PRECONDITION),
    (SettingInvalid, PRECONDITION),
    (SecretKeyInvalid, PRECONDITION),
    (BaseUrlUnsafe, PRECONDITION),
    (GatewayError, PRECONDITION),
    (LedgerBehind, PRECONDITION),
)


def exit_code_of(error: EscrowError) -> int:
    """Return the exit code for a refusal; 1 for one that nobody expects."""
    return next((code for kind, code in CODES if isinstance(error, kind)), UNEXPECTED)


def say(error: EscrowError) -> None:
    """Print what went wrong and the public facts on stderr."""
    print(f"{error.code}: {error.message}", file=sys.stderr)
    for name, fact in error.facts.items():
        if fact is not None:
            print(f"  {name}: {fact}", file=sys.stderr)
