"""Refusals as exit codes and words on stderr."""

from cli.errors import NotReady
from cli.exit_code import CONFLICT, DIFFERENCE, NOT_FOUND, PRECONDITION, REFUSED, UNEXPECTED, USAGE
from cli.output import say
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
from eventstore.log import MissingPosition
from eventstore.transcoder import Undecodable
from gateways.errors import BaseUrlUnsafe, GatewayError
from gateways.objects import FileUnavailable, StorageUnavailable
from gateways.paystack.secret import SecretKeyInvalid
from projections.checkpoint import NotInstalled
from reactions.erasure import ErasureUndecided
from reactions.watermark import LogWentBack
from reconciliation.ledger import LedgerBehind
from replay.damage import Damage
from vault.pepper import PepperError
from vault.sealing import SealBroken

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
    (MissingPosition, DIFFERENCE),
    (Undecodable, DIFFERENCE),
    (SealBroken, DIFFERENCE),
    (DatabaseError, PRECONDITION),
    (PepperError, PRECONDITION),
    (NotReady, PRECONDITION),
    (SettingInvalid, PRECONDITION),
    (SecretKeyInvalid, PRECONDITION),
    (BaseUrlUnsafe, PRECONDITION),
    (GatewayError, PRECONDITION),
    (LedgerBehind, PRECONDITION),
    (ErasureUndecided, PRECONDITION),
    (LogWentBack, PRECONDITION),
    (NotInstalled, PRECONDITION),
    (StorageUnavailable, PRECONDITION),
    (FileUnavailable, PRECONDITION),
)


def exit_code_of(error: EscrowError) -> int:
    """Return the exit code for a refusal; 1 for one that nobody expects."""
    return next((code for kind, code in CODES if isinstance(error, kind)), UNEXPECTED)


def show(error: EscrowError) -> None:
    """Print what went wrong and the public facts on stderr."""
    say(f"{error.code}: {error.message}")
    for name, fact in error.facts.items():
        if fact is not None:
            say(f"  {name}: {fact}")
