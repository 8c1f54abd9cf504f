"""A proof by mail, and an authenticator app: taken into use, or given by whoever runs the server."""

import asyncio
import base64
import os
from datetime import timedelta

from psycopg import AsyncConnection

from identity.second_factor import enrol_second_factor
from identity.totp import make_code, step_of
from tests.api.running import PASSWORD, Installation, Person

FACTOR = "/api/v1/auth/second-factor"


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


def confirm_by_mail(installation: Installation, person: Person) -> None:
    """Show the password and a code by mail, which is all that buyers and sellers without an app have."""
    assert person.post(f"{FACTOR}/code").status_code == 204
    proof = {"mailed_code": installation.codes[person.email], "password": PASSWORD}
    confirmed = person.post(FACTOR, proof)
    assert confirmed.status_code == 204, confirmed.text


def begin(installation: Installation, person: Person) -> tuple[App, list[str]]:
    """Take an app into use."""
    seed = person.post(f"{FACTOR}/app", {"password": PASSWORD})
    assert seed.status_code == 200, seed.text
    assert seed.headers["cache-control"] == "no-store"
    app = App(installation, seed.json()["secret"])
    begun = person.post(f"{FACTOR}/app/begin", {"code": app.show()})
    assert begun.status_code == 200, begun.text
    return app, begun.json()["recovery_codes"]


def be_given(installation: Installation, person: Person) -> tuple[App, tuple[str, ...]]:
    """Get an app and recovery codes from whoever runs the server, and confirm the session with them."""

    async def give() -> tuple[App, tuple[str, ...]]:
        parts = installation.dependencies
        async with await AsyncConnection.connect(installation.superuser_dsn) as connection:
            seed, codes = await enrol_second_factor(
                connection, parts.locksmith, person.id, at=parts.clock(), random_bytes=os.urandom
            )
        return App(installation, seed.text), codes

    app, codes = asyncio.run(give())
    confirmed = person.post(FACTOR, {"code": app.show()})
    assert confirmed.status_code == 204, confirmed.text
    return app, codes
