"""Settings come from the environment, are frozen, and never show a secret."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from database.settings import Settings


@pytest.mark.weakness("W31")
def test_every_secret_is_absent_unless_given() -> None:
    settings = Settings()
    assert (settings.paystack_secret_key, settings.smtp_url, settings.escrow_pepper_file) == (None, None, None)


def test_a_relative_home_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ESCROW_HOME", "here")
    assert Settings().escrow_home == tmp_path / "here"


def test_secrets_do_not_appear_in_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYSTACK_SECRET_KEY", "sk_canary")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:canary@h/d")
    assert "canary" not in repr(Settings())


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().escrow_public_url = "x"


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    assert Settings().database_url is None
