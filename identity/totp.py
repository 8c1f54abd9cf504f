"""Codes of an authenticator app: RFC 6238 with SHA-1, six digits and steps of 30 seconds, as every app understands.

A code of the step before or after is accepted too, for clocks that differ; none is accepted twice.
"""

import base64
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import quote, urlencode
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from database.connect import Connection
from database.queries import load
from domain.errors import Refused
from domain.ids import RandomBytes
from identity.turn import take_turn

SQL = load("identity", "totp.sql")
ISSUER = "Escrow"
SECRET_BYTES = 20
DIGITS = 6
STEP_SECONDS = 30
SKEW_STEPS = 1


class NothingToConfirm(Refused):
    """There is no new secret that waits for its first code; begin by asking for one."""

    code = "nothing_to_confirm"


class Safe(Protocol):
    """The part of the vault that keeps small secrets which the program itself has to read."""

    def seal_seed(self, user_id: UUID, seed: bytes) -> tuple[int, bytes]:
        """Return the version of the pepper and the sealed bytes."""
        ...

    def open_seed(self, user_id: UUID, pepper_version: int, sealed: bytes) -> bytes:
        """Return what was sealed for this user."""
        ...


@dataclass(frozen=True, slots=True)
class Seed:
    """What an app is given, once."""

    secret: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The secret in base32, to be typed."""
        return base64.b32encode(self.secret).decode()

    def get_uri(self, account: str) -> str:
        """Return the `otpauth:` address that apps read from a picture (Key URI Format of Google Authenticator)."""
        label = quote(f"{ISSUER}:{account}", safe="")
        facts = {"secret": self.text, "issuer": ISSUER, "algorithm": "SHA1", "digits": DIGITS, "period": STEP_SECONDS}
        return f"otpauth://totp/{label}?{urlencode(facts)}"


def step_of(at: datetime) -> int:
    """The number of the 30 seconds since 1970 that `at` falls into."""
    return int(at.timestamp()) // STEP_SECONDS


def make_code(secret: bytes, step: int) -> str:
    """The six digits of one step."""
    # SHA-1 is what RFC 6238 says and apps do; as HMAC with a secret of 160 bits it is sound.
    totp = TOTP(secret, DIGITS, SHA1(), STEP_SECONDS, enforce_key_length=False)  # noqa: S303
    return totp.generate(step * STEP_SECONDS).decode()


def find_step(secret: bytes, code: str, at: datetime) -> int | None:
    """The step whose code this is, of the present one and its neighbours; None when it is of none of them."""
    present = step_of(at)
    fitting = [
        step
        for step in range(present - SKEW_STEPS, present + SKEW_STEPS + 1)
        if hmac.compare_digest(make_code(secret, step).encode(), code.encode())
    ]
    return fitting[0] if fitting else None


async def propose_seed(
    connection: Connection, safe: Safe, user_id: UUID, *, at: datetime, random_bytes: RandomBytes
) -> Seed:
    """Make a secret that counts once its first code was shown; another that waits is forgotten.

    Call inside a transaction: nobody takes the one that waits into use meanwhile.
    """
    await take_turn(connection, user_id)
    seed = Seed(random_bytes(SECRET_BYTES))
    await _store(connection, safe, user_id, seed, at=at, is_confirmed=False)
    return seed


async def enrol_seed(
    connection: Connection, safe: Safe, user_id: UUID, *, at: datetime, random_bytes: RandomBytes
) -> Seed:
    """Make a secret that counts at once, instead of any other: for an operator who hands it over in person."""
    seed = Seed(random_bytes(SECRET_BYTES))
    await connection.execute(SQL.delete_seeds, (user_id,))
    await _store(connection, safe, user_id, seed, at=at, is_confirmed=True)
    return seed


async def _store(
    connection: Connection, safe: Safe, user_id: UUID, seed: Seed, *, at: datetime, is_confirmed: bool
) -> None:
    version, sealed = safe.seal_seed(user_id, seed.secret)
    row = {"user_id": user_id, "is_confirmed": is_confirmed, "version": version, "sealed": sealed, "at": at}
    await connection.execute(SQL.upsert_seed, row)


async def confirm_seed(connection: Connection, safe: Safe, user_id: UUID, code: str, *, at: datetime) -> bool:
    """Make the new secret the present one if this is its code. Call inside a transaction, when it is the user's turn.

    Raises NothingToConfirm.
    """
    secret = await _find_secret(connection, safe, user_id, is_confirmed=False)
    if secret is None:
        raise NothingToConfirm
    step = find_step(secret, code, at)
    if step is None:
        return False
    await connection.execute(SQL.delete_confirmed_seed, (user_id,))
    await connection.execute(SQL.confirm_seed, {"user_id": user_id, "step": step})
    return True


async def take_totp(connection: Connection, safe: Safe, user_id: UUID, code: str, *, at: datetime) -> bool:
    """Whether this is a code of the user's app that was not used before; from now on it was."""
    secret = await _find_secret(connection, safe, user_id, is_confirmed=True)
    step = find_step(secret, code, at) if secret is not None else None
    if step is None:
        return False
    cursor = await connection.execute(SQL.accept_step, {"user_id": user_id, "step": step})
    return await cursor.fetchone() is not None


async def has_totp(connection: Connection, user_id: UUID) -> bool:
    """Whether the user has an authenticator app."""
    cursor = await connection.execute(SQL.find_seed, {"user_id": user_id, "is_confirmed": True})
    return await cursor.fetchone() is not None


async def _find_secret(connection: Connection, safe: Safe, user_id: UUID, *, is_confirmed: bool) -> bytes | None:
    cursor = await connection.execute(SQL.find_seed, {"user_id": user_id, "is_confirmed": is_confirmed})
    row = await cursor.fetchone()
    return None if row is None else safe.open_seed(user_id, row[0], row[1])
