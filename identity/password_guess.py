"""The password of somebody who is signed in, asked for once more: a stolen token must be no place to guess it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

from database.connect import Pool
from identity.tries import Allowance, bucket_of, count_try, forget_tries

GUESSES = Allowance(free=50, first_pause=timedelta(seconds=5), longest_pause=timedelta(minutes=1))
"""Ten times what a sign-in has: who works through a list of contracts shows the password many times at once."""


@asynccontextmanager
async def counting_guesses(pool: Pool, user_id: UUID, *, at: datetime) -> AsyncGenerator[None]:
    """Count a try before the password is looked at in the block; no error in it means the password was right, and the
    count begins anew.

    Raises TooManyTries before anything is looked at.
    """
    bucket = bucket_of(b"", "password", str(user_id))
    await count_try(pool, bucket, GUESSES, at=at)
    yield
    async with pool.connection() as connection:
        await forget_tries(connection, bucket)
