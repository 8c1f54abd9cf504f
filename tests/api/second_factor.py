"""Signing in by a password only, and taking an authenticator app into use."""

import base64
from datetime import timedelta

from identity.totp import make_code, step_of
from tests.api.running import PASSWORD, WIRE, Installation, Person

FACTOR = "/api/v1/auth/second-factor"


def sign_in(installation: Installation, name: str, **more: str) -> Person:
    """A new session that only a password began, unless more is shown."""
    known = installation.people[name]
    body = {"email": known.email, "password": PASSWORD, **more}
    answer = WIRE.post(f"{installation.base_url}/api/v1/auth/login", json=body)
    assert answer.status_code == 200, answer.text
    return Person(name, known.id, known.email, answer.json()["access_token"], installation.base_url)


class App:
    """An authenticator app: a code serves once, so each is of a later half minute."""

    def __init__(self, installation: Installation, secret: str) -> None:
        self.installation = installation
        self.text = secret
        self.secret = base64.b32decode(secret)
        self.shown = 0

    def show(self) -> str:
        present = step_of(self.installation.clock())
        if self.shown > present:
            self.installation.clock.ahead += timedelta(seconds=30)
        self.shown = max(self.shown + 1, present)
        return make_code(self.secret, self.shown)


def begin(installation: Installation, person: Person) -> tuple[App, list[str]]:
    """Take an app into use."""
    seed = person.post(f"{FACTOR}/app", {"password": PASSWORD})
    assert seed.status_code == 200, seed.text
    assert seed.headers["cache-control"] == "no-store"
    app = App(installation, seed.json()["secret"])
    begun = person.post(f"{FACTOR}/app/begin", {"code": app.show()})
    assert begun.status_code == 200, begun.text
    return app, begun.json()["recovery_codes"]
