"""Signing in by a password, and what stands in its way."""

from contextlib import ExitStack
from datetime import timedelta

import httpx
import psycopg

from tests.api.running import PASSWORD, WIRE, Installation, Person


def ask_to_sign_in(installation: Installation, email: str, password: str = PASSWORD, **more: str) -> httpx.Response:
    body = {"email": email, "password": password, **more}
    return WIRE.post(f"{installation.base_url}/api/v1/auth/login", json=body)


def sign_in(installation: Installation, name: str, **more: str) -> Person:
    """A new session that only a password began, unless more is shown."""
    known = installation.people[name]
    answer = ask_to_sign_in(installation, known.email, **more)
    assert answer.status_code == 200, answer.text
    return Person(name, known.id, known.email, answer.json()["access_token"], installation.base_url)


def fill_door(installation: Installation, stack: ExitStack) -> None:
    for _ in range(100):
        stack.enter_context(installation.dependencies.locksmith.enter(None))


def session_of(installation: Installation, name: str, *, confirmed_ago: timedelta | None) -> str:
    """A new session of somebody who showed an app's code so long ago, or never."""
    person = sign_in(installation, name)
    if confirmed_ago is not None:
        query = """
            UPDATE sessions SET confirmed_at = %s, confirmed_by = 'totp'
            WHERE id = (SELECT id FROM sessions WHERE user_id = %s ORDER BY created_at DESC LIMIT 1)
        """
        with psycopg.connect(installation.superuser_dsn) as connection:
            connection.execute(query, (installation.clock() - confirmed_ago, person.id))
    return person.token
