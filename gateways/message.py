"""What a message to a person can end in, and the folder that stands in for the networks that carry them.

The folder keeps one file for each message, named after its time and its id, readable by its owner alone: a message that
is sent again is the same file.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from domain.errors import EscrowError

STAMP = "%Y%m%dT%H%M%S.%fZ"
"""How the name of a kept message begins: its time, in UTC."""


class MessageError(EscrowError):
    """The message was not delivered."""

    code = "message_error"
    status = 502

    def __init__(self, reason: str = "") -> None:
        """`reason` is a word or a number for operators; never an address or anything that a person wrote."""
        super().__init__()
        self.reason = reason

    def __str__(self) -> str:
        """The message and the reason."""
        return f"{self.message} [{self.reason}]" if self.reason else self.message


class MessageRefused(MessageError):
    """The message cannot be delivered to this address; sending it again will not help."""

    code = "message_refused"


class MessageUndelivered(MessageError):
    """The message could not be handed over; it may have been sent nevertheless, and is to be sent again."""

    code = "message_undelivered"
    status = 503

    def __init__(self, reason: str = "", *, concerns_all: bool = True) -> None:
        """`concerns_all`: no other message would leave now either; False where the other side spoke of this one."""
        super().__init__(reason)
        self.concerns_all = concerns_all


def keep_message(folder: Path, at: datetime, message_id: UUID, suffix: str, content: bytes) -> None:
    """Put a message into the folder, whole or not at all. Raises `MessageUndelivered` when the disk takes nothing."""
    path = folder / f"{at.astimezone(UTC):{STAMP}}-{message_id}{suffix}"
    draft = folder / f".{path.name}.{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        draft.replace(path)
    except OSError as error:
        raise MessageUndelivered(type(error).__name__) from None


def list_message_files(folder: Path, suffixes: frozenset[str], limit: int) -> list[Path]:
    """Return the newest messages first; none where no message was ever sent."""
    if not folder.is_dir():
        return []
    names = (path for path in folder.iterdir() if path.suffix in suffixes and not path.name.startswith("."))
    return sorted(names, key=lambda path: path.name, reverse=True)[:limit]
