"""Mail: over SMTP where it is configured, else into a folder that shows what would have been sent.

A message is the same, byte for byte, however often it is sent: `Date` and `Message-ID` come with it (RFC 5322 §3.6), so
that a receiver recognises a repeat.
"""

import asyncio
import smtplib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

from domain.loopback import LOOPBACK
from gateways.message import MessageRefused, MessageUndelivered, keep_message

TIMEOUT_SECONDS = 10.0
DOMAIN_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")
LAST_TRANSIENT = 499
"""An answer of 500 or more is final (RFC 5321 §4.2.1)."""
OUR_FAULT = frozenset({421, 530, 534, 535, 538})
"""The server goes away (RFC 5321 §3.8), or wants us to sign in, or to do it otherwise (RFC 4954 §6)."""
MAIL_SUFFIX = ".eml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message to one person; `id` and `at` stay the same when it is sent again. `repr` shows no personal data."""

    id: UUID
    at: datetime
    address: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)


SendMail = Callable[[Mail], Awaitable[None]]
"""Sends a message. Raises `MessageRefused`, or `MessageUndelivered` when it should be tried again."""


def mail_into_folder(folder: Path, sender: str) -> SendMail:
    """Return a stand-in that keeps every message in `folder`, readable by its owner alone."""

    async def send(mail: Mail) -> None:
        content = compose(mail, sender).as_bytes()
        await asyncio.to_thread(keep_message, folder, mail.at, mail.id, MAIL_SUFFIX, content)

    return send


def mail_over_smtp(url: str, sender: str) -> SendMail:
    """Return a mailer for `smtp://` (STARTTLS where offered) or `smtps://user:password@host:port`.

    A password is shown only behind TLS, or on this machine.
    """

    async def send(mail: Mail) -> None:
        message = compose(mail, sender)
        try:
            await asyncio.to_thread(_deliver, url, message, sender, mail.address)
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise _refusal(code) from None
        except smtplib.SMTPDataError as error:
            raise _refusal(error.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise MessageRefused("SMTPUTF8") from None
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            raise MessageUndelivered(type(error).__name__) from None

    return send


def compose(mail: Mail, sender: str) -> EmailMessage:
    """Return the message as it goes out: plain text, with HTML beside it if there is any.

    Raises `MessageRefused` for an address that no header can hold. Line breaks in a subject become spaces.
    """
    message = EmailMessage(policy=SMTP if mail.address.isascii() else SMTPUTF8)
    message["Date"] = mail.at
    message["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2]}>"
    message["From"] = _parse(sender)
    message["To"] = _parse(mail.address)
    message["Subject"] = " ".join(mail.subject.split())
    # RFC 3834: nobody's holiday is to answer, and no list server.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(mail.text)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
        # By default it is random, and a repeat would not be the same bytes.
        message.set_boundary(f"=_{mail.id.hex}")
    return message


def _parse(address: str) -> Address:
    """Take it as one address, whatever it looks like: commas and brackets in it must not become a second one."""
    local, _, domain = address.rpartition("@")
    try:
        host = domain.encode("idna").decode().lower()
        if local.isprintable() and local and " " not in local and host and DOMAIN_CHARACTERS.issuperset(host):
            return Address(username=local, domain=host)
    except (UnicodeError, ValueError):
        pass
    raise MessageRefused("address")


def _refusal(code: int) -> MessageRefused | MessageUndelivered:
    if code > LAST_TRANSIENT and code not in OUR_FAULT:
        return MessageRefused(str(code))
    return MessageUndelivered(str(code), concerns_all=code in OUR_FAULT)


def _deliver(url: str, message: EmailMessage, sender: str, address: str) -> None:
    parts = urlsplit(url)
    context = ssl.create_default_context()
    host = parts.hostname or "localhost"
    is_secure = parts.scheme == "smtps"
    with _connect(host, parts.port, context if is_secure else None) as server:
        if not is_secure and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
            is_secure = True
        if parts.username:
            if not is_secure and host not in LOOPBACK:
                raise MessageUndelivered("NoTLS")
            if not server.has_extn("auth"):
                raise MessageUndelivered("NoAuth")
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message, from_addr=_parse(sender).addr_spec, to_addrs=[_parse(address).addr_spec])


def _connect(host: str, port: int | None, context: ssl.SSLContext | None) -> smtplib.SMTP:
    if context is not None:
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port or 465, timeout=TIMEOUT_SECONDS, context=context, local_hostname="localhost"
        )
    else:
        # The name is given: to look it up can take as long as a name server is silent.
        server = smtplib.SMTP(host, port or 587, timeout=TIMEOUT_SECONDS, local_hostname="localhost")
    server.ehlo()
    return server
