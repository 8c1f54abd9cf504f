"""A variable that is set wrongly ends a command with exit 4 and a sentence that names it, never with a traceback."""

from pathlib import Path

import pytest

from cli.main import main
from database.settings import MUST_BE, SettingInvalid, Settings

BAD = {
    "DATABASE_URL": ["mysql://canary@h/d", "canary"],
    "ESCROW_HOME": ["/dev/null/canary", "/dev/null"],
    "ESCROW_PG_BIN": ["/canary/bin", "/dev/null"],
    "ESCROW_FILES_DIR": ["/dev/null", "/dev/null/canary"],
    "ESCROW_PEPPER_FILE": ["/proc", "/dev/null/canary"],
    "ESCROW_PUBLIC_URL": ["canary", "ftp://canary", "https://", "http://["],
    "PAYSTACK_SECRET_KEY": ["pk_live_canary", "canary"],
    "PAYSTACK_BASE_URL": ["ftp://canary", "canary", "http://canary.example"],
    "SMTP_URL": [
        "canary",
        "http://user:canary@host",
        "smtps://user:canary/x@host",
        "smtp://user:1/canary@host",
        "smtp://user:1?canary@host",
        "smtp://canary:99999",
    ],
    "SMTP_FROM": ["canary", "a@canary.example,b@canary.example", "Name <a@canary.example>"],
    "SMS_URL": ["canary", "ftp://canary", "http://canary.example/send", "https://canary:587x/"],
    "SMS_TOKEN": ["canary", "a canary with spaces in it"],
    "ESCROW_ASK_TRANSFERS_DAYS": ["canary", "-1", "1.5"],
    "ESCROW_PAYOUT_COOLING_OFF_HOURS": ["canary", "-1", "721", "1.5"],
    "ESCROW_RETENTION_DAYS": ["canary", "0", "1.5"],
    "ESCROW_ACCESS_LOG_DAYS": ["canary", "-1", "1.5"],
    "ESCROW_NIGHTLY_ASK": ["canary", "2"],
    "ESCROW_FOUR_EYES_ABOVE_USD": ["canary", "-1", "NaN", "1e999999"],
}


def test_every_setting_is_tried() -> None:
    assert set(BAD) == {name.upper() for name in Settings.model_fields}


def test_every_setting_that_has_a_form_says_which() -> None:
    own_errors = {"paystack_secret_key", "paystack_base_url"}
    assert set(MUST_BE) == set(Settings.model_fields) - own_errors


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_setting_ends_with_exit_4_and_is_named(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for each in Settings.model_fields:
        monkeypatch.delenv(each.upper(), raising=False)
    good = {"ESCROW_HOME": str(tmp_path), "PAYSTACK_SECRET_KEY": "sk_test_0123456789abcdef"}
    for each, text in {**good, name: value}.items():
        monkeypatch.setenv(each, text)
    monkeypatch.setattr("sys.argv", ["escrow", "worker"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 4, said
    assert name in said
    assert "Traceback" not in said
    if "canary" in value and name != "ESCROW_PG_BIN":
        assert "canary" not in said, "a value may be a secret"


def test_all_that_is_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_URL", "nonsense")
    monkeypatch.setenv("ESCROW_FOUR_EYES_ABOVE_USD", "many")
    with pytest.raises(SettingInvalid) as wrong:
        Settings()
    assert wrong.value.message == (
        "ESCROW_FOUR_EYES_ABOVE_USD must be an amount in US dollars, zero or more. "
        "SMTP_URL must be a URL that begins with smtp:// or smtps://, with %2F for a / in the password and so on."
    )
