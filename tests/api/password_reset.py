"""Beginning anew with a mailed token."""

import httpx
import psycopg

from tests.api.running import WIRE, Installation, Person
from tests.api.signing_in import ask_to_sign_in
from tests.waiting import wait_until

ASK = "/api/v1/auth/password-reset"
CONFIRM = f"{ASK}/confirm"
NEW = "an even better password"


def ask(installation: Installation, email: str) -> httpx.Response:
    return WIRE.post(installation.base_url + ASK, json={"email": email})


def get_token(installation: Installation, person: Person) -> str:
    installation.codes.pop(person.email, None)
    assert ask(installation, person.email).status_code == 204
    wait_until(lambda: person.email in installation.codes)
    return installation.codes[person.email]


def confirm(installation: Installation, token: str, query: str = "", **fields: object) -> httpx.Response:
    body = {"token": token, "new_password": NEW} | fields
    return WIRE.post(installation.base_url + CONFIRM + query, json=body)


def begin_anew(installation: Installation, person: Person, **fields: object) -> None:
    answer = confirm(installation, get_token(installation, person), accept_losses=True, **fields)
    assert answer.status_code == 200, answer.text
    person.token = ask_to_sign_in(installation, person.email, NEW).json()["access_token"]
    with psycopg.connect(installation.superuser_dsn) as connection:
        connection.execute(
            "UPDATE sessions SET confirmed_at = now() + interval '1 hour', confirmed_by = 'totp' WHERE user_id = %s",
            (person.id,),
        )
    installation.dependencies.authenticator.forget(person.id)
