"""A person of the demo, who uses the API as any client does: signs in, sends commands with keys, waits for tables."""

import asyncio
import os
from collections.abc import Callable, Mapping
from time import monotonic
from typing import cast
from uuid import UUID

import httpx

JsonObject = dict[str, object]

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.1


class DemoFailed(RuntimeError):
    """A step of the demo was answered in a way that it does not expect."""


class Person:
    """Somebody with a password; `client` is where the API answers."""

    def __init__(
        self, client: httpx.AsyncClient, user_id: UUID | str, email: str, password: str, refresh_token: str = ""
    ) -> None:
        self.client = client
        self.id = str(user_id)
        self.email = email
        self.password = password
        self.token = ""
        self._refresh_token = refresh_token

    @property
    def facts(self) -> dict[str, str]:
        """What makes the same person again; secrets are among it."""
        known = {"user_id": self.id, "email": self.email, "password": self.password}
        return {**known, "refresh_token": self._refresh_token}

    async def sign_in(self) -> None:
        """Get an access token; it lasts 15 minutes."""
        answer = await self.client.post("/api/v1/auth/login", json={"email": self.email, "password": self.password})
        self._take_tokens(_read(answer))

    async def resume(self) -> None:
        """Get an access token from the session of before, without the work on the password; else sign in."""
        answer = None
        if self._refresh_token:
            answer = await self.client.post("/api/v1/auth/refresh", json={"refresh_token": self._refresh_token})
        if answer is not None and answer.is_success:
            self._take_tokens(_read(answer))
        else:
            await self.sign_in()

    def _take_tokens(self, tokens: JsonObject) -> None:
        self.token, self._refresh_token = str(tokens["access_token"]), str(tokens["refresh_token"])

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
                raise DemoFailed(f"{transaction_id} stays {found['state']}: {found['stuck_reason']}")
            await asyncio.sleep(PAUSE_SECONDS)


def _read(answer: httpx.Response) -> JsonObject:
    if answer.status_code >= httpx.codes.MULTIPLE_CHOICES:
        raise DemoFailed(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")
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
        raise DemoFailed(f"{name} is not an object")
    return cast("JsonObject", found)
