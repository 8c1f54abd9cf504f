"""A person of the demo, who uses the API as any client does: signs in, sends commands with keys, waits for tables."""

import asyncio
import base64
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from time import monotonic
from typing import cast
from uuid import UUID

import httpx

from database.clock import read_clock
from domain.errors import EscrowError
from domain.ids import Clock
from identity.totp import SKEW_STEPS, STEP_SECONDS, make_code, step_of

JsonObject = dict[str, object]

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.1
CONFIRMED_SECONDS = 60.0
TOKEN_SECONDS = 880.0
UNAUTHORIZED, FORBIDDEN = 401, 403


class DemoFailed(EscrowError):
    """A step of the demo was answered in a way that it does not expect."""

    code = "demo_failed"


class Person:
    """Somebody with a password and an authenticator app; `client` is where the API answers.

    `clock` is that of the API: the app shows codes of its time.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        user_id: UUID | str,
        email: str,
        password: str,
        totp_secret: str,
        refresh_token: str = "",
    ) -> None:
        self.client = client
        self.id = str(user_id)
        self.email = email
        self.password = password
        self.totp_secret = totp_secret
        self.refresh_token = refresh_token
        self.token = ""
        self.clock: Clock = read_clock
        self._last_step = 0
        self._good_until: dict[str, float] = {}

    @property
    def facts(self) -> dict[str, str]:
        """What makes the same person again; secrets are among it."""
        known = {"user_id": self.id, "email": self.email, "password": self.password}
        return {**known, "totp_secret": self.totp_secret, "refresh_token": self.refresh_token}

    async def sign_in(self) -> None:
        """Get an access token that lasts 15 minutes, of the last session if there is one, and be confirmed."""
        if self.refresh_token and await self._refresh():
            await self.confirm_all()
        else:
            await self.sign_in_anew()

    async def sign_in_anew(self) -> None:
        """Start another session: unlike a refresh, this ends no token that somebody may hold."""
        account = {"email": self.email, "password": self.password}
        self._keep(_read(await self.client.post("/api/v1/auth/login", json=account)))
        await self.confirm_all()

    async def _refresh(self) -> bool:
        answer = await self.client.post("/api/v1/auth/refresh", json={"refresh_token": self.refresh_token})
        if answer.status_code == UNAUTHORIZED:
            return False
        self._good_until.pop(self.token, None)  # a refresh ends the token before
        self._keep(_read(answer))
        return True

    def _keep(self, tokens: JsonObject) -> None:
        self.token, self.refresh_token = str(tokens["access_token"]), str(tokens["refresh_token"])
        self._good_until[self.token] = monotonic() + TOKEN_SECONDS

    async def confirm_all(self) -> None:
        """Show the app's code for each session whose token is still good."""
        self._good_until = {token: until for token, until in self._good_until.items() if until > monotonic()}
        for token in tuple(self._good_until):
            if not await self._confirm(token):
                del self._good_until[token]

    async def stay_signed_in(self) -> None:
        """Confirm what lasts; start another session when the one whose token is known has been ended by somebody."""
        await self.confirm_all()
        if self.token not in self._good_until:
            await self.sign_in_anew()

    async def _confirm(self, token: str) -> bool:
        """Show the app's code, unless the session was confirmed a moment ago; False when the session has ended."""
        headers = {"Authorization": f"Bearer {token}"}
        path = "/api/v1/auth/second-factor"
        status = await self.client.get(path, headers=headers)
        if status.status_code == UNAUTHORIZED:
            return False
        if self._is_recent(_read(status)["confirmed_at"]):
            return True
        until = monotonic() + PATIENCE_SECONDS
        while True:
            answer = await self.client.post(path, json={"code": await self._next_code()}, headers=headers)
            # Another process of this person may have shown the code of this half minute: the next one will do.
            if answer.status_code != FORBIDDEN or monotonic() > until:
                break
        if answer.status_code == UNAUTHORIZED:
            return False
        _read(answer)
        return True

    def _is_recent(self, confirmed_at: object) -> bool:
        if not isinstance(confirmed_at, str):
            return False
        return (self.clock() - datetime.fromisoformat(confirmed_at)).total_seconds() < CONFIRMED_SECONDS

    async def _next_code(self) -> str:
        """A code serves once, so each is of a later step; the server takes those of the next step too."""
        now = self.clock()
        step = max(self._last_step + 1, step_of(now))
        await asyncio.sleep((step - SKEW_STEPS) * STEP_SECONDS - now.timestamp())
        self._last_step = step
        return make_code(base64.b32decode(self.totp_secret), step)

    async def send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> JsonObject:
        """Send one command under a key of its own. Raises `DemoFailed` unless it was accepted."""
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": os.urandom(16).hex()}
        return _read(await self.client.request(method, f"/api/v1{path}", json=body, headers=headers))

    async def get(self, path: str) -> httpx.Response:
        """Read something; the answer may be a text."""
        return await self.client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {self.token}"})

    async def wait_for(self, transaction_id: str, expected: Callable[[JsonObject], bool]) -> JsonObject:
        """Read a transaction until it is as expected. Raises `DemoFailed` after a minute."""
        until = monotonic() + PATIENCE_SECONDS
        while True:
            found = _read(await self.get(f"/transactions/{transaction_id}"))
            if expected(found):
                return found
            if monotonic() > until:
                raise DemoFailed(
                    transaction=transaction_id, stays=str(found["state"]), reason=str(found["stuck_reason"])
                )
            await asyncio.sleep(PAUSE_SECONDS)


def _read(answer: httpx.Response) -> JsonObject:
    if answer.status_code >= httpx.codes.MULTIPLE_CHOICES:
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise DemoFailed(asked=asked, status=answer.status_code, answer=answer.text)
    return cast("JsonObject", answer.json()) if answer.content else {}


def is_in(state: str) -> Callable[[JsonObject], bool]:
    """Return whether a transaction is in this state."""
    return lambda transaction: transaction["state"] == state


def has_contract(transaction: JsonObject) -> bool:
    """Return whether there is something to sign."""
    return transaction["contract"] is not None


def part(whole: JsonObject, name: str) -> JsonObject:
    """Return an object inside another. Raises `DemoFailed` when it is none."""
    found = whole[name]
    if not isinstance(found, dict):
        raise DemoFailed(no_object=name)
    return cast("JsonObject", found)
