"""The people of the demo stay signed in, whatever is done to their sessions."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from cli.demo.person import Person
from cli.demo.playing import for_each
from tests.api.running import PASSWORD, WIRE, Installation
from tests.api.second_factor import be_given
from tests.api.signing_in import sign_in

SESSIONS = "/api/v1/auth/sessions"


def ask(installation: Installation, method: str, path: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return WIRE.request(method, installation.base_url + path, headers=headers).status_code


def test_whoever_was_signed_out_is_signed_in_anew_and_whoever_cannot_be_is_named(
    fresh: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    admin = sign_in(fresh, "admin")
    app, _ = be_given(fresh, admin)

    async def story() -> None:
        async with httpx.AsyncClient(base_url=fresh.base_url, trust_env=False) as client:
            secret = app.text
            person = Person(client, admin.id, admin.email, PASSWORD, secret)
            locked_out = Person(client, admin.id, admin.email, "not the password", secret)
            person.clock = locked_out.clock = fresh.clock
            await person.sign_in()
            first = person.token
            assert ask(fresh, "POST", "/api/v1/auth/logout", first) == 204
            fresh.clock.ahead += timedelta(minutes=2)
            await for_each({"admin": person, "forgetful": locked_out}, Person.stay_signed_in)
            assert person.token != first
            assert ask(fresh, "GET", SESSIONS, person.token) == 200

    asyncio.run(story())
    said = capsys.readouterr().err
    assert "forgetful of the demo cannot sign in: POST /api/v1/auth/login was answered with 401" in said
    assert "admin of" not in said
