"""Signing in, honestly and by guessing."""

from collections import Counter
from collections.abc import Sequence

from database.connect import Pool
from database.errors import DatabaseUnavailable
from identity.session import SignInRefused
from identity.sign_in import Caller, SignedIn, sign_in
from identity.tries import TooManyTries
from tests.identity.conftest import Desk
from vault.gate import TooManySignIns

EMAIL = "amina@example.com"
KEY = b"k" * 32


async def attempt(
    desk: Desk,
    pool: Pool,
    password: str,
    address: str = "127.0.0.1",
    device: str | None = None,
    email: str = EMAIL,
    key: bytes = KEY,
) -> SignedIn:
    caller = Caller(address=address, device_token=device, key=key)
    return await sign_in(
        pool,
        desk.locksmith,
        email,
        password,
        caller,
        at=desk.at,
        random_bytes=desk.random.randbytes,
        lifetimes=desk.lifetimes,
    )


async def guess(desk: Desk, pool: Pool, number: int, email: str = EMAIL) -> str:
    """What becomes of a wrong password from one of 200 addresses."""
    try:
        await attempt(desk, pool, f"guess {number}", f"127.0.1.{number % 200}", email=email)
    except (SignInRefused, TooManyTries, TooManySignIns, DatabaseUnavailable) as refusal:
        return refusal.code
    return "signed in"


def check_looked_at(outcomes: Sequence[str], free: int) -> None:
    """So many guesses were looked at; of these a machine that is busy enough refuses some for want of a connection."""
    counts = Counter(outcomes)
    assert free - counts["database_unavailable"] <= counts["sign_in_refused"] <= free, counts
    assert set(counts) <= {"sign_in_refused", "too_many_tries", "too_many_sign_ins", "database_unavailable"}, counts
