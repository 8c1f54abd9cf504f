"""What stands in the sources, and what an object says of itself: no key that could open anything, no secret."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from api.bodies import LoginBody
from api.http.body import Body
from database.settings import Settings
from docs.rooms import ROOMS, ROOT

LIVE = re.compile(
    rb"(?:sk|pk|esk|rk)_live_[A-Za-z0-9]{16,}|-----BEGIN [A-Z ]*PRIVATE KEY-----|AKIA[0-9A-Z]{16}"
    rb"|gh[pousr]_[A-Za-z0-9]{36}|eyJ[A-Za-z0-9_-]{16,}\.eyJ[A-Za-z0-9_-]{16,}\."
)
SECRET_FIELDS = frozenset(
    {
        "password", "new_password", "access_token", "refresh_token", "device_token", "legal_name", "otp", "code",
        "account_number", "email", "recovery_code", "mailed_code", "private_key", "unlock_key", "auth_key", "dsn",
        "verifier", "key_commitment", "wrapped_private_key",
    }
)  # fmt: skip
MADE_UP = re.compile(rb"sk_live_0123456789abcdef\b")
"""Live in name only: what it is compared with differs in that one word."""
NO_PERSONS = ("gateways.paystack.sim", "gateways.bank", "api.views.bank")
"""The stand-in's people are made up, and the code of a bank is public."""


@pytest.mark.weakness("W31")
def test_no_source_holds_a_key_that_looks_live() -> None:
    """Elsewhere keys of test accounts are the defaults of settings, in the source."""
    paths = list(list_sources())
    assert len(paths) > 100
    assert [str(path) for path in paths if LIVE.search(MADE_UP.sub(b"", path.read_bytes()))] == []


def list_sources() -> Iterator[Path]:
    """Yield what the repository holds, without what installing and running leave behind."""
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if path.is_file() and not (parts[0].startswith(".") or "__pycache__" in parts):
            yield path


@pytest.mark.parametrize(
    "planted", [b'KEY = "sk_' + b"live_" + b"0123456789abcdef" * 2 + b'"', b"-----BEGIN " + b"EC PRIVATE KEY-----"]
)
def test_a_key_that_looks_live_is_found(planted: bytes) -> None:
    assert LIVE.search(planted)


@pytest.mark.weakness("W31")
def test_settings_say_no_secret_of_themselves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Elsewhere the head of the secret that signs sessions is printed for debugging."""
    canary = "canary0123456789abcdef"
    monkeypatch.setenv("ESCROW_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", f"postgresql://somebody:{canary}@127.0.0.1/escrow")
    monkeypatch.setenv("PAYSTACK_SECRET_KEY", f"sk_test_{canary}")
    monkeypatch.setenv("SMTP_URL", f"smtps://somebody:{canary}@mail.example.com")
    settings = Settings()
    assert canary in settings.model_dump()["database_url"].get_secret_value()
    assert [form for form in (repr(settings), str(settings), settings.model_dump_json()) if canary in form] == []


@pytest.mark.weakness("W31")
def test_no_object_shows_a_secret_of_its_own() -> None:
    """What is logged, raised or printed for debugging is somebody's `repr`."""
    kinds = [kind for kind in list_classes() if not kind.__module__.startswith(NO_PERSONS)]
    assert len(kinds) > 100
    assert sorted(f"{kind.__name__}.{name}" for kind in kinds for name in shown_fields(kind)) == []


@pytest.mark.weakness("W31")
def test_a_body_says_nothing_of_itself() -> None:
    body = LoginBody(email="canary@example.com", password="canary-password")
    assert [form for form in (repr(body), str(body), f"{[body]!r}") if "canary" in form] == []


def list_classes() -> Iterator[type]:
    """Yield every dataclass and model of the product once."""
    found = set[type]()
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            if not module.name.endswith("__main__"):
                found |= {
                    each for each in vars(importlib.import_module(module.name)).values() if isinstance(each, type)
                }
    return iter({each for each in found if each.__module__.split(".")[0] in ROOMS})


def shown_fields(kind: type) -> Iterator[str]:
    """Yield the fields of a class that its `repr` shows although they are secret or personal."""
    if is_dataclass(kind):
        shown = (each for each in fields(kind) if each.repr and is_text(each.type))
        yield from (each.name for each in shown if each.name in SECRET_FIELDS)
    elif issubclass(kind, BaseModel) and not issubclass(kind, Body):
        for name, each in kind.model_fields.items():
            if each.repr and name in SECRET_FIELDS and each.annotation is not SecretStr:
                yield name


def is_text(annotation: object) -> bool:
    """Whether it is bare text or bytes; a `Secret` hides itself."""
    return annotation in {str, bytes, "str", "bytes", "str | None", "bytes | None"} or annotation == (str | None)
