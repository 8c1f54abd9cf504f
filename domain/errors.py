"""The one tree of errors. `code` is stable and public, `status` is the HTTP status, the docstring is the message."""

from collections.abc import Mapping
from functools import cache
from inspect import cleandoc
from typing import ClassVar

Fact = str | int | bool | None | list[str]
SERVER_ERROR = 500


class EscrowError(Exception):
    """The request could not be carried out."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = SERVER_ERROR
    state: str | None = None
    allowed_actions: tuple[str, ...] | None = None

    def __init__(self, **facts: Fact) -> None:
        """Keep `facts`, public details such as the time from which the command becomes possible; never a secret."""
        super().__init__()
        self.facts: Mapping[str, Fact] = facts

    def __str__(self) -> str:
        """The message, looked up when somebody reads it: guards are asked by the dozen to learn what is allowed."""
        return self.message

    @property
    def is_refusal(self) -> bool:
        """True when the asker was told no; False when something of ours failed or was away."""
        return self.status < SERVER_ERROR

    @property
    def message(self) -> str:
        """One sentence for a person: the docstring of the class."""
        return _sentence(type(self))


class DetailedError(EscrowError):
    """What is read in a terminal, or as the reason that something stopped, has the facts in its text."""

    def __str__(self) -> str:
        """The message and the facts."""
        facts = ", ".join(f"{name.replace('_', ' ')}: {fact}" for name, fact in self.facts.items())
        return f"{self.message} ({facts})" if facts else self.message


@cache
def _sentence(kind: type[EscrowError]) -> str:
    return " ".join(cleandoc(kind.__doc__ or "").split())


class Invalid(EscrowError):
    """The request is not valid."""

    code = "invalid"
    status = 422


class NotFound(EscrowError):
    """There is nothing here, or nothing that you may see."""

    code = "not_found"
    status = 404


class Forbidden(EscrowError):
    """You may see this, but not do that."""

    code = "forbidden"
    status = 403


class Refused(EscrowError):
    """The present state does not allow this."""

    code = "refused"
    status = 409


class VersionConflict(EscrowError):
    """Somebody else changed this at the same moment; read it again and decide anew."""

    code = "version_conflict"
    status = 409


class PreconditionFailed(EscrowError):
    """This is no longer the version that If-Match names; read it again and decide anew."""

    code = "precondition_failed"
    status = 412


class IdempotencyMismatch(EscrowError):
    """This Idempotency-Key was used before for another request; use a new key for a new request."""

    code = "idempotency_key_reused"
    status = 422


class StillRunning(EscrowError):
    """The first request with this Idempotency-Key is still running; ask again in a moment."""

    code = "idempotency_key_in_use"
    status = 409


class Overloaded(EscrowError):
    """Too much is waiting to be written; nothing was done, try again in a moment."""

    code = "overloaded"
    status = 503
