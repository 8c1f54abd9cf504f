"""Another code by mail: counted as whatever can be guessed is, and answered alike whoever it is asked for."""

from uuid import uuid4

import httpx
import pytest

from gateways.message import MessageUndelivered
from identity.email_code import PAUSE
from tests.api.running import PASSWORD, WIRE, Installation
from tests.waiting import wait_until

AUTH = "/api/v1/auth"


def register(installation: Installation) -> str:
    """Somebody who has not confirmed the address yet."""
    email = f"{uuid4().hex}@example.com"
    form = {"email": email, "password": PASSWORD, "display_name": "N", "legal_name": "N N"}
    assert WIRE.post(f"{installation.base_url}{AUTH}/register", json=form).status_code == 201
    return email


def resend(installation: Installation, email: str) -> httpx.Response:
    return WIRE.post(f"{installation.base_url}{AUTH}/resend-code", json={"email": email})


@pytest.fixture(params=["registered", "unknown"])
def email(request: pytest.FixtureRequest, installation: Installation) -> str:
    return register(installation) if request.param == "registered" else f"{uuid4().hex}@example.com"


def test_whoever_has_many_codes_sent_waits_whether_or_not_there_is_an_account(
    installation: Installation, email: str
) -> None:
    answers = [resend(installation, email) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [204, 204, 204, 429]
    assert answers[-1].json()["code"] == "too_many_tries"
    assert int(answers[-1].headers["retry-after"]) in range(1, 61)


def test_a_mail_server_that_is_down_does_not_tell_who_waits_for_a_code(
    fresh: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, verified = register(fresh), fresh.people["buyer"].email
    tried: list[str] = []

    async def fail(address: str, _code: str) -> None:
        tried.append(address)
        raise MessageUndelivered("OSError")

    monkeypatch.setitem(vars(fresh.dependencies), "send_code", fail)
    fresh.clock.ahead += PAUSE
    answers = [resend(fresh, address) for address in (waiting, verified, "nobody@example.com")]
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 3
    wait_until(lambda: tried == [waiting])
