"""Mail: over SMTP where it is configured, else into a folder that shows what would have been sent."""

import asyncio
import os
import smtplib
import ssl
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gateways.errors import GatewayUncertain

SendMail = Callable[[str, str, str], Awaitable[None]]
"""Sends to an address (first) a subject (second) and a text (third)."""

TIMEOUT_SECONDS = 10.0


def mail_into_folder(folder: Path) -> SendMail:
    """Return a stand-in that appends every message to `folder`, readable by its owner alone."""

    async def send(address: str, subject: str, text: str) -> None:
        message = _compose(address, subject, text)
        await asyncio.to_thread(_append, folder, message)

    return send


def mail_over_smtp(url: str, sender: str) -> SendMail:
    """Return a mailer for `smtp://` (STARTTLS where offered) or `smtps://user:password@host:port`.

    Sending raises `GatewayUncertain`: a lost answer may mean that the message went out.
    """

    async def send(address: str, subject: str, text: str) -> None:
        message = _compose(address, subject, text)
        message["From"] = sender
        try:
            await asyncio.to_thread(_deliver, url, message)
        except (OSError, smtplib.SMTPException) as error:
            raise GatewayUncertain(type(error).__name__) from None

    return send


def _compose(address: str, subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["To"] = address
    message["Subject"] = subject
    message.set_content(text)
    return message


def _append(folder: Path, message: EmailMessage) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / "outbox.mbox", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(f"From escrow\n{message.as_string()}\n")


def _deliver(url: str, message: EmailMessage) -> None:
    parts = urlsplit(url)
    context = ssl.create_default_context()
    secure = parts.scheme == "smtps"
    with _connect(parts.hostname or "localhost", parts.port, context if secure else None) as server:
        if not secure and server.has_extn("starttls"):
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)


def _connect(host: str, port: int | None, context: ssl.SSLContext | None) -> smtplib.SMTP:
    if context is not None:
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, port or 587, timeout=TIMEOUT_SECONDS)
    server.ehlo()
    return server
