"""Reading the folder that stands in for the networks: what would have been sent, to whom, when."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import cast
from uuid import UUID

from domain.errors import NotFound
from gateways.mail import MAIL_SUFFIX
from gateways.message import STAMP, list_message_files
from gateways.sms import SMS_SUFFIX

SUFFIXES = frozenset({MAIL_SUFFIX, SMS_SUFFIX})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A message as it would have reached somebody; `channel` is `email` or `sms`. `repr` shows nothing personal."""

    id: UUID
    at: datetime
    channel: str
    address: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)


def list_messages(folder: Path, limit: int) -> list[Kept]:
    """Return the newest messages first; what is in the folder besides is passed over."""
    found = (_read(path) for path in list_message_files(folder, SUFFIXES, limit))
    return [kept for kept in found if kept is not None]


def find_message(folder: Path, message_id: UUID) -> Kept:
    """Return one message. Raises NotFound."""
    paths = folder.glob(f"*-{message_id}.*") if folder.is_dir() else ()
    found = (_read(path) for path in paths if path.suffix in SUFFIXES)
    kept = next((kept for kept in found if kept is not None), None)
    if kept is None:
        raise NotFound
    return kept


def _read(path: Path) -> Kept | None:
    stamp, _, rest = path.stem.partition("-")
    try:
        at, message_id = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC), UUID(rest)
        content = path.read_bytes()
        read = _read_sms if path.suffix == SMS_SUFFIX else _read_mail
        return read(message_id, at, content)
    except (OSError, ValueError, LookupError):
        return None


def _read_sms(message_id: UUID, at: datetime, content: bytes) -> Kept:
    body: object = json.loads(content)
    if not isinstance(body, dict):
        raise ValueError("no message")
    said = cast("dict[str, object]", body)
    return Kept(id=message_id, at=at, channel="sms", address=str(said["to"]), subject="", text=str(said["text"]))


def _read_mail(message_id: UUID, at: datetime, content: bytes) -> Kept:
    message = message_from_bytes(content, policy=default)
    return Kept(
        id=message_id,
        at=at,
        channel="email",
        address=str(message["To"]),
        subject=str(message["Subject"]),
        text=_body(message, "plain") or "",
        html=_body(message, "html"),
    )


def _body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    return None if part is None else str(part.get_content()).replace("\r\n", "\n")
