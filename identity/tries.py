"""Counting tries before they are looked at, so that parallel guesses share what is free; then a pause that grows."""

import hmac
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from database.connect import Connection, Pool
from database.queries import load
from domain.errors import EscrowError

SQL = load("identity", "tries.sql")
FORGOTTEN_AFTER = timedelta(hours=1)


class TooManyTries(EscrowError):
    """Too many wrong passwords or codes; wait as long as Retry-After says."""

    code = "too_many_tries"
    status = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """So many tries need no waiting; the last of them and each further one is followed by a pause.

    Each pause is twice as long as the one before, to a limit. An hour after the last pause everything is forgotten.
    """

    free: int
    first_pause: timedelta
    longest_pause: timedelta


def bucket_of(key: bytes, kind: str, *names: str) -> bytes:
    """Return what is counted together: a keyed hash, since addresses and the like are soon found from a plain one."""
    return hmac.digest(key, "\n".join((kind, *names)).encode(), sha256)


async def count_try(pool: Pool, bucket: bytes, allowance: Allowance, *, at: datetime) -> None:
    """Count one more try. Raises TooManyTries during a pause, which counts nothing."""
    row = {
        "bucket": bucket,
        "at": at,
        "free": allowance.free,
        "pause": allowance.first_pause,
        "longest": allowance.longest_pause,
        "forgotten": at - FORGOTTEN_AFTER,
    }
    async with pool.connection() as connection:
        if await (await connection.execute(SQL.count_try, row)).fetchone() is not None:
            return
        blocked = await (await connection.execute(SQL.find_pause, (bucket,))).fetchone()
    pause = (blocked[0] - at).total_seconds() if blocked is not None else 0.0
    raise TooManyTries(retry_after_seconds=max(1, math.ceil(pause)))


async def forget_tries(connection: Connection, bucket: bytes) -> None:
    """Begin anew: it was the right password or code."""
    await connection.execute(SQL.forget_tries, (bucket,))


async def take_back_try(pool: Pool, bucket: bytes, *, at: datetime) -> None:
    """Count one less where many share a bucket: who was right leaves the others' guesses counted."""
    async with pool.connection() as connection:
        await connection.execute(SQL.take_back_try, {"bucket": bucket, "at": at})


async def delete_old_tries(pool: Pool, *, at: datetime) -> int:
    """Delete what counts no more; return how many."""
    async with pool.connection() as connection:
        return (await connection.execute(SQL.delete_old_tries, (at - FORGOTTEN_AFTER,))).rowcount
