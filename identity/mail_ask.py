"""Asking for a mail before one is signed in: counted by account and by address, so that nobody's mailbox is filled."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from database.connect import Pool
from identity.email import normalise_email
from identity.tries import Allowance, bucket_of, count_try

BY_ACCOUNT = Allowance(free=3, first_pause=timedelta(minutes=1), longest_pause=timedelta(minutes=15))
BY_ADDRESS = Allowance(free=20, first_pause=timedelta(seconds=5), longest_pause=timedelta(minutes=5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Where somebody asks from; `key` makes the hashes that are counted by."""

    address: str = field(repr=False)
    key: bytes = field(repr=False)


async def count_ask(pool: Pool, kind: str, email: str, asker: Asker, *, at: datetime) -> str:
    """Count the question for a mail of this kind; return the address as it is looked up.

    Raises UnfitEmail, and TooManyTries. Whether there is such an account is not looked at: the answer must not tell.
    """
    normalised = normalise_email(email)
    await count_try(pool, bucket_of(asker.key, f"{kind}-address", asker.address), BY_ADDRESS, at=at)
    await count_try(pool, bucket_of(asker.key, f"{kind}-account", normalised.lower()), BY_ACCOUNT, at=at)
    return normalised
