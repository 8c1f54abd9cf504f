"""Wiring: settings into the objects that the API and the worker run on. Time, ids and randomness enter here."""

import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from pydantic import SecretStr

from api.files.stored_file import erase_files_of
from cli.errors import NotReady
from cli.home import DEMO_FILE, make_secret_file, message_folder
from cli.rates import load_rates
from database.clock import read_clock
from database.connect import Pool, open_pool, resolve_dsn
from database.settings import Settings
from domain.ids import Clock, uuid7
from domain.loopback import LOOPBACK
from domain.policy import Terms
from eventstore.appender import Appender
from eventstore.escrow import Escrow
from gateways.mail import Mail, SendMail, mail_into_folder, mail_over_smtp
from gateways.objects import Folder
from gateways.paystack.client import PAYSTACK_URL, Paystack
from gateways.paystack.http import check_base_url
from gateways.paystack.limiter import UNLIMITED_PER_MINUTE, Limiter
from gateways.paystack.secret import SecretKey
from gateways.sms import SendSms, Sms, sms_into_folder, sms_over_http
from identity.authenticator import Authenticator
from identity.email_code import SendCode
from reactions.asking import ask_about
from reactions.erasure import Eraser
from reactions.gate import Comparison, RestoreGate
from reactions.message import watch_delivery
from reactions.notification import Notifier
from reactions.toolbox import Toolbox
from reactions.watermark import Watermark
from reconciliation.asking import Answer, Ask
from reconciliation.run import Desk, reconcile
from vault.gate import Gate
from vault.locksmith import Locksmith
from vault.password import RECOMMENDED
from vault.pepper import get_pepper_path, prepare_pepper

if TYPE_CHECKING:
    from api.dependencies import Dependencies

API_CONNECTIONS = 16
WORKER_CONNECTIONS = 20
PATIENCE_SECONDS = 1.8
"""How long a command waits for its commit: clients are to hear of an outage within two seconds."""
CODE_SUBJECT = "Your code"


class SecretMissing(NotReady):
    """A secret that has no default is missing; set it in the environment."""

    code = "secret_missing"


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What API and worker both stand on."""

    settings: Settings
    clock: Clock
    pool: Pool
    escrow: Escrow
    gateway: Paystack
    secret: SecretKey


@asynccontextmanager
async def open_ground(settings: Settings, clock: Clock, connections: int) -> AsyncGenerator[Ground]:
    """Open pool, appender and processor client. Raises `UnsafeConfiguration`, database errors, and what
    `require_processor` raises."""
    log_to_stderr()
    secret = require_processor(settings)
    dsn = resolve_dsn(settings, "app")
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(dsn, max_size=connections, autocommit=True))
        appender = await stack.enter_async_context(Appender(dsn, patience_seconds=PATIENCE_SECONDS))
        gateway = await stack.enter_async_context(connect_paystack(settings, secret))
        escrow = Escrow(pool, appender, clock, lambda: new_id(clock))
        yield Ground(settings=settings, clock=clock, pool=pool, escrow=escrow, gateway=gateway, secret=secret)


def log_to_stderr() -> None:
    """Let every room log where people read: stdout is for the answer of the command.

    Not in `main`: importing the library of the logs would make `--help` slow.
    """
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


def find_settings() -> Settings:
    """Return the settings; a demo in ESCROW_HOME lends its stand-in to whoever has no key of Paystack."""
    settings = Settings()
    file = settings.escrow_home / DEMO_FILE
    if settings.paystack_secret_key is not None or not file.exists():
        return settings
    facts = cast("dict[str, str]", json.loads(file.read_text(encoding="utf-8")))
    lent = {
        "paystack_secret_key": SecretStr(make_secret_file(settings.escrow_home).read_text(encoding="utf-8")),
        "paystack_base_url": facts["paystack_url"],
    }
    return settings.model_copy(update=lent)


def require_processor(settings: Settings) -> SecretKey:
    """Return the key, if the processor can be called with these settings: asked before a database is started.

    Raises `SecretMissing`, `SecretKeyInvalid` and `BaseUrlUnsafe`.
    """
    if settings.paystack_secret_key is None:
        raise SecretMissing(setting="PAYSTACK_SECRET_KEY")
    check_base_url(settings.paystack_base_url or PAYSTACK_URL)
    return SecretKey(settings.paystack_secret_key.get_secret_value())


def connect_paystack(settings: Settings, secret: SecretKey) -> Paystack:
    """Return the client. Raises `BaseUrlUnsafe`."""
    base_url = check_base_url(settings.paystack_base_url or PAYSTACK_URL)
    return Paystack.connect(secret=secret, base_url=base_url, limiter=limiter_of(base_url))


def limiter_of(base_url: str) -> Limiter:
    """Return what spaces the calls: only a stand-in on this machine has no limits, however Paystack's name is spelt."""
    is_here = urlsplit(base_url).hostname in LOOPBACK
    return Limiter(UNLIMITED_PER_MINUTE) if is_here else Limiter()


def new_id(clock: Clock) -> UUID:
    """Return a new UUIDv7 from the clock and the system's randomness."""
    return uuid7(clock(), os.urandom)


@asynccontextmanager
async def open_locksmith(pool: Pool, settings: Settings) -> AsyncGenerator[Locksmith]:
    """Load the pepper, which must be the one that wrapped the keys of this database. Raises `PepperError`."""
    async with pool.connection() as connection:
        pepper = await prepare_pepper(connection, get_pepper_path(settings), os.urandom)
    gate = Gate()
    try:
        yield Locksmith(pepper=pepper, gate=gate, costs=RECOMMENDED, random_bytes=os.urandom)
    finally:
        gate.close()


@asynccontextmanager
async def open_dependencies(
    settings: Settings, clock: Clock = read_clock, terms: Terms | None = None
) -> AsyncGenerator["Dependencies"]:
    """Open all that the API works with."""
    from api.dependencies import Dependencies  # the worker has no use for the framework of the API

    async with (
        open_ground(settings, clock, API_CONNECTIONS) as ground,
        open_locksmith(ground.pool, settings) as locksmith,
    ):
        objects = open_files(settings)
        dependencies = Dependencies(
            settings=settings,
            clock=clock,
            random_bytes=os.urandom,
            pool=ground.pool,
            escrow=ground.escrow,
            authenticator=Authenticator(ground.pool, clock),
            locksmith=locksmith,
            gateway=ground.gateway,
            permit=watermark_of(ground).permit,
            webhook_secret=ground.secret,
            text_code=code_texter(watch_delivery(ground.pool, clock, "sms", texter_of(settings)), clock),
            send_code=code_sender(watch_delivery(ground.pool, clock, "mail", mailer_of(settings)), clock),
            objects=objects,
            eraser=eraser_of(settings, ground.pool, clock, objects),
            shared_key=locksmith.derive_shared_key(),
            rates=load_rates(settings.escrow_home),
            terms=terms or Terms(),
        )
        try:
            yield dependencies
        finally:
            await dependencies.access_log.close(ground.pool)


def open_files(settings: Settings) -> Folder:
    """Return where the files lie that people send."""
    return Folder(settings.escrow_files_dir or settings.escrow_home / "files")


def eraser_of(settings: Settings, pool: Pool, clock: Clock, objects: Folder) -> Eraser:
    """Return what erases people who asked for it."""

    async def erase_files(user_id: UUID, at: datetime) -> None:
        await erase_files_of(pool, objects, user_id, at)

    return Eraser(
        pool=pool, clock=clock, retention=timedelta(days=settings.escrow_retention_days), erase_files=erase_files
    )


def toolbox_of(ground: Ground) -> Toolbox:
    """Return what the reactions work with: they send money only while the log is the one that was acted upon."""
    permit = watermark_of(ground).permit
    return Toolbox(escrow=ground.escrow, pool=ground.pool, gateway=ground.gateway, clock=ground.clock, permit=permit)


def watermark_of(ground: Ground) -> Watermark:
    """Return the mark of how far this log was acted upon, which a restore does not touch."""
    return Watermark(ground.pool, ground.settings.escrow_home)


def ask_of(ground: Ground) -> Ask:
    """Return how one reference is asked about: its transaction takes every step that the answer makes possible."""

    async def ask(reference: str) -> Answer:
        return Answer(*await ask_about(toolbox_of(ground), reference))

    return ask


def gate_of(ground: Ground) -> RestoreGate:
    """Return the gate before the reactions: after a restore it holds the log against the processor first."""

    async def compare(key: str) -> Comparison:
        run = await reconcile(desk_of(ground), key)
        assert run.reconciliation_id is not None, "only a dry run leaves no record"
        return Comparison(run.reconciliation_id, len(run.outcome.differences))

    return RestoreGate(toolbox_of(ground), watermark_of(ground), compare)


def desk_of(ground: Ground) -> Desk:
    """Return what reconciliation works with."""
    return Desk(escrow=ground.escrow, pool=ground.pool, processor=ground.gateway, clock=ground.clock)


def notifier_of(ground: Ground) -> Notifier:
    """Return who tells people what happened."""
    send = watch_delivery(ground.pool, ground.clock, "mail", mailer_of(ground.settings))
    return Notifier(toolbox_of(ground), send)


def code_sender(send: SendMail, clock: Clock) -> SendCode:
    """Return how one-time codes reach people by mail."""

    async def send_code(address: str, code: str) -> None:
        text = f"Your code is {code}. It is valid for five minutes. Tell it to nobody.\n"
        await send(Mail(id=new_id(clock), at=clock(), address=address, subject=CODE_SUBJECT, text=text))

    return send_code


def code_texter(send: SendSms, clock: Clock) -> SendCode:
    """Return how one-time codes reach people by SMS."""

    async def send_code(phone: str, code: str) -> None:
        await send(Sms(id=new_id(clock), at=clock(), phone=phone, text=f"Your code is {code}. Tell it to nobody."))

    return send_code


def mailer_of(settings: Settings) -> SendMail:
    """Return how mail leaves: by SMTP_URL, else into the folder `mail` of ESCROW_HOME."""
    sender = settings.smtp_from or f"escrow@{_host(settings)}"
    if settings.smtp_url is None:
        return mail_into_folder(message_folder(settings.escrow_home), sender)
    return mail_over_smtp(settings.smtp_url.get_secret_value(), sender)


def texter_of(settings: Settings) -> SendSms:
    """Return how short messages leave: by SMS_URL, else into the folder of the mail. Raises `SecretMissing`."""
    if settings.sms_url is None:
        return sms_into_folder(message_folder(settings.escrow_home))
    if settings.sms_token is None:
        raise SecretMissing(setting="SMS_TOKEN")
    return sms_over_http(settings.sms_url, settings.sms_token.get_secret_value())


def _host(settings: Settings) -> str:
    return urlsplit(settings.escrow_public_url or "").hostname or "localhost"
