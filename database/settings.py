"""Everything the environment can say, read once in the entry point and passed down. No secret has a default."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.errors import EscrowError
from domain.loopback import LOOPBACK

MUST_BE = {
    "database_url": "a libpq URL, such as postgresql://user:password@host/escrow",
    "escrow_home": "a folder, or one that can be made",
    "escrow_pg_bin": "a folder",
    "escrow_files_dir": "a folder, or one that can be made",
    "escrow_pepper_file": "a file, not a folder",
    "escrow_public_url": "an http or https URL",
    "smtp_url": "a URL that begins with smtp:// or smtps://, with %2F for a / in the password and so on",
    "smtp_from": "an e-mail address in ASCII, such as escrow@example.com",
    "sms_url": "an https URL; plain http only on this machine",
    "sms_token": "a secret of 16 to 512 printable characters without spaces",
    "escrow_nightly_ask": "true or false",
    "escrow_access_log_days": "a whole number of days, 1 to 3650",
    "escrow_ask_transfers_days": "a whole number of days, 1 to 3650",
    "escrow_retention_days": "a whole number of days, 1 to 36500",
    "escrow_payout_cooling_off_hours": "a whole number of hours, 0 to 720",
    "escrow_four_eyes_above_usd": "an amount in US dollars, zero or more",
}


SCHEMES = {"escrow_public_url": {"http", "https"}, "smtp_url": {"smtp", "smtps"}, "sms_url": {"http", "https"}}
ADDRESS = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,189}")
TOKEN = re.compile(r"[!-~]{16,512}")


class SettingInvalid(EscrowError):
    """A variable of the environment is not what it must be; the message names it and never repeats its value."""

    code = "setting_invalid"

    @property
    def message(self) -> str:
        """One sentence for each variable."""
        names = self.facts["settings"]
        assert isinstance(names, list)
        return " ".join(f"{name} must be {MUST_BE.get(name.lower(), 'something else')}." for name in names)


class Settings(BaseSettings):
    """The environment variables of the product, each under its own name in lower case; empty counts as absent."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    database_url: SecretStr | None = None
    """DATABASE_URL: a server of your own, as a libpq URL; without it the embedded server is used."""
    escrow_home: Path = Field(default=Path(".escrow"), validate_default=True)
    """ESCROW_HOME: data, keys and facts of this installation; made absolute when read."""
    escrow_pg_bin: Path | None = None
    """ESCROW_PG_BIN: folder with `initdb` and `postgres`, 15 or newer."""
    escrow_files_dir: Path | None = None
    """ESCROW_FILES_DIR: where uploaded files are kept, the same for all API processes; else `files` in ESCROW_HOME."""
    escrow_pepper_file: Path | None = None
    """ESCROW_PEPPER_FILE: the root secret of the vault."""
    escrow_public_url: str | None = None
    """ESCROW_PUBLIC_URL: the address under which clients reach the API."""
    paystack_secret_key: SecretStr | None = None
    """PAYSTACK_SECRET_KEY: signs calls and proves webhooks."""
    paystack_base_url: str | None = None
    """PAYSTACK_BASE_URL: Paystack, or the stand-in."""
    smtp_url: SecretStr | None = None
    """SMTP_URL: the mail server, with its password."""
    smtp_from: str | None = None
    """SMTP_FROM: the address that mail comes from; without it `escrow@` and the host of ESCROW_PUBLIC_URL."""
    sms_url: str | None = None
    """SMS_URL: the gateway that short messages are posted to; without it they go into a folder."""
    sms_token: SecretStr | None = None
    """SMS_TOKEN: what that gateway knows us by; needed with SMS_URL."""
    escrow_nightly_ask: bool = True
    """ESCROW_NIGHTLY_ASK: before the nightly reconciliation, ask Paystack about what is ours and differs."""
    escrow_four_eyes_above_usd: Decimal = Field(default=Decimal(1000), ge=0, le=10**12, allow_inf_nan=False)
    """ESCROW_FOUR_EYES_ABOVE_USD: above this worth an admin's release or refund needs a second person. Ignored once
    `escrow setting change four_eyes_above_usd` was used; `escrow setting list` shows what holds."""
    escrow_access_log_days: int = Field(default=180, ge=1, le=3650)
    """ESCROW_ACCESS_LOG_DAYS: for so long it is kept who read what, and from which address."""
    escrow_payout_cooling_off_hours: int = Field(default=24, ge=0, le=720)
    """ESCROW_PAYOUT_COOLING_OFF_HOURS: so long after somebody changed his payout account nothing is paid to him."""
    escrow_ask_transfers_days: int = Field(default=35, ge=1, le=3650)
    """ESCROW_ASK_TRANSFERS_DAYS: so long after it was paid a payout is asked about now and then, because a bank can
    send it back without a word."""

    escrow_retention_days: int = Field(default=180, ge=1, le=36500)
    """ESCROW_RETENTION_DAYS: so long after the last event of a person's last sale his personal data is kept, also from
    a request to erase it: a bank can take a payment back for months."""

    @model_validator(mode="wrap")
    @classmethod
    def _name_what_is_wrong(cls, values: object, read: ModelWrapValidatorHandler[Self]) -> Self:
        """Raise `SettingInvalid` instead of the library's error, which is no sentence."""
        try:
            return read(values)
        except ValidationError as error:
            names = {str(line["loc"][0]).upper() for line in error.errors() if line["loc"]}
        raise SettingInvalid(settings=sorted(names))

    @field_validator("database_url")
    @classmethod
    def _require_dsn(cls, url: SecretStr | None) -> SecretStr | None:
        """What libpq cannot read would only fail at the first connection."""
        if url is not None:
            # Only here: most commands that read settings need no database driver.
            from psycopg import Error
            from psycopg.conninfo import conninfo_to_dict

            try:
                conninfo_to_dict(url.get_secret_value())
            except Error:
                raise ValueError("not a libpq URL") from None
        return url

    @field_validator("escrow_public_url", "smtp_url", "sms_url")
    @classmethod
    def _require_url(cls, url: str | SecretStr | None, field: ValidationInfo) -> str | SecretStr | None:
        """A scheme that the program knows how to use, and an address behind it."""
        text = url.get_secret_value() if isinstance(url, SecretStr) else url
        if text is not None:
            parts = urlsplit(text)
            schemes = SCHEMES.get(field.field_name or "")
            if not parts.scheme or (schemes and parts.scheme not in schemes) or not (parts.netloc or parts.path):
                raise ValueError("not such a URL")
            if schemes and not parts.hostname:
                raise ValueError("a URL without a host")
            # A sign in a password that is not escaped makes a port or a path of the rest.
            if not _can_be_connected(parts) or (field.field_name == "smtp_url" and _has_more_than_host(parts)):
                raise ValueError("not such a URL")
            if field.field_name == "sms_url" and parts.scheme == "http" and parts.hostname not in LOOPBACK:
                raise ValueError("a token would travel in the clear")
        return url

    @field_validator("smtp_from")
    @classmethod
    def _require_address(cls, address: str | None) -> str | None:
        """It stands in every message and in the envelope."""
        if address is not None and not ADDRESS.fullmatch(address):
            raise ValueError("not an address")
        return address

    @field_validator("sms_token")
    @classmethod
    def _require_token(cls, token: SecretStr | None) -> SecretStr | None:
        """It stands in a header."""
        if token is not None and not TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("not a token")
        return token

    @field_validator("escrow_home", "escrow_pg_bin", "escrow_files_dir", "escrow_pepper_file")
    @classmethod
    def _make_absolute(cls, path: Path | None) -> Path | None:
        """A daemon changes its folder; a relative path must not change its meaning then."""
        return path if path is None else Path.cwd() / path.expanduser()

    @field_validator("escrow_home", "escrow_pg_bin", "escrow_files_dir")
    @classmethod
    def _require_folder(cls, path: Path | None) -> Path | None:
        """What is there of the path must be folders."""
        if path is not None and not _nearest(path).is_dir():
            raise ValueError("not a folder")
        return path

    @field_validator("escrow_pepper_file")
    @classmethod
    def _require_file(cls, path: Path | None) -> Path | None:
        """It may be made at the first start, but not where a folder is."""
        if path is not None and (path.is_dir() or not _nearest(path.parent).is_dir()):
            raise ValueError("not a file")
        return path


def _can_be_connected(parts: SplitResult) -> bool:
    """False for a port that is no number, or beyond 65535; what is wrong with it may be a piece of a password."""
    try:
        return parts.port != 0
    except ValueError:
        return False


def _has_more_than_host(parts: SplitResult) -> bool:
    return bool(parts.path.strip("/") or parts.query or parts.fragment)


def _nearest(path: Path) -> Path:
    """The path itself, or the nearest folder above it that exists and may be looked at."""
    for each in (path, *path.parents):
        try:
            if each.exists():
                return each
        except PermissionError:
            continue
    return path
