"""Everything the environment can say, read once in the entry point and passed down. No secret has a default."""

from decimal import Decimal
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The environment variables of the product, each under its own name in lower case; empty counts as absent."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    database_url: SecretStr | None = None
    """DATABASE_URL: a server of your own, as a libpq URL; without it the embedded server is used."""
    escrow_home: Path = Field(default=Path(".escrow"), validate_default=True)
    """ESCROW_HOME: data, keys and facts of this installation; made absolute when read."""
    escrow_pg_bin: Path | None = None
    """ESCROW_PG_BIN: folder with `initdb` and `postgres`, 15 or newer."""
    escrow_pepper_file: Path | None = None
    """ESCROW_PEPPER_FILE: the root secret of the vault."""
    escrow_signing_key_file: Path | None = None
    """ESCROW_SIGNING_KEY_FILE: the Ed25519 key that signs checkpoints."""
    escrow_archive_url: str | None = None
    """ESCROW_ARCHIVE_URL: where checkpoints and exports are kept, best on another host."""
    escrow_public_url: str | None = None
    """ESCROW_PUBLIC_URL: the address under which clients reach the API."""
    paystack_secret_key: SecretStr | None = None
    """PAYSTACK_SECRET_KEY: signs calls and proves webhooks."""
    paystack_base_url: str | None = None
    """PAYSTACK_BASE_URL: Paystack, or the stand-in."""
    smtp_url: SecretStr | None = None
    """SMTP_URL: the mail server, with its password."""
    escrow_nightly_ask: bool = True
    """ESCROW_NIGHTLY_ASK: before the nightly reconciliation, ask Paystack about what is ours and differs."""
    escrow_four_eyes_above_usd: Decimal = Field(default=Decimal(1000), ge=0, allow_inf_nan=False)
    """ESCROW_FOUR_EYES_ABOVE_USD: above this worth an admin's release or refund needs a second person."""
    escrow_ask_transfers_days: int = Field(default=35, ge=1, le=3650)
    """ESCROW_ASK_TRANSFERS_DAYS: so long after it was paid a payout is asked about now and then, because a bank can
    send it back without a word."""

    @field_validator("escrow_home", "escrow_pg_bin", "escrow_pepper_file", "escrow_signing_key_file")
    @classmethod
    def _make_absolute(cls, path: Path | None) -> Path | None:
        """A daemon changes its folder; a relative path must not change its meaning then."""
        return path if path is None else Path.cwd() / path.expanduser()
