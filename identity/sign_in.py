"""Signing in under attack: tries are counted by account, by device and by address before a password is looked at.

Guesses from anywhere share the account's tries, so they are few however many addresses they come from. A device that
has signed in before is counted by itself and does not wait for them.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from database.connect import Pool
from domain.ids import RandomBytes
from identity.email import UnfitEmail, normalise_email
from identity.known_device import Voucher, has_known_device, is_known_device, remember_device
from identity.notification import tell_user
from identity.password import Locksmith, find_password
from identity.password_change import raise_cost
from identity.session import Lifetimes, SignInRefused, Tokens, is_going_on, login
from identity.token import DEVICE, hash_token
from identity.tries import Allowance, bucket_of, count_try, forget_tries, take_back_try
from identity.turn import take_turn

BY_ACCOUNT = Allowance(free=5, first_pause=timedelta(seconds=5), longest_pause=timedelta(minutes=1))
BY_ADDRESS = Allowance(free=50, first_pause=timedelta(seconds=1), longest_pause=timedelta(minutes=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Where somebody signs in from; `key` makes the hashes that are counted by."""

    address: str = field(repr=False)
    device_token: str | None = field(default=None, repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session, and what to show at the next sign-in on this device."""

    tokens: Tokens
    device_token: str = field(repr=False)


async def sign_in(
    pool: Pool,
    locksmith: Locksmith,
    email: str,
    password: str,
    caller: Caller,
    *,
    at: datetime,
    random_bytes: RandomBytes,
    lifetimes: Lifetimes,
) -> SignedIn:
    """Start a session. Raises TooManyTries before the password is looked at, and what `login` raises.

    SignInRefused also when the session was ended before its device is remembered.

    Raises TooManySignIns before anything is asked of the database when nobody more can be taken.
    """
    vouched = _name_device(email, caller)
    with locksmith.enter(vouched):
        known = await _find_known_device(pool, email, caller)
        buckets = Buckets.of(email, caller, is_known=known)
        if buckets.address is not None:
            await count_try(pool, buckets.address, BY_ADDRESS, at=at)
        await count_try(pool, buckets.account, BY_ACCOUNT, at=at)
        tokens = await login(pool, locksmith, email, password, at=at, random_bytes=random_bytes, lifetimes=lifetimes)
        await raise_cost(pool, locksmith, tokens.user_id, password, at=at)
        async with pool.connection() as connection:
            await forget_tries(connection, buckets.account)
        if buckets.address is not None:
            await take_back_try(pool, buckets.address, at=at)
        if known and vouched and caller.device_token:
            return SignedIn(tokens=tokens, device_token=caller.device_token)
        voucher = Voucher(key=caller.key, account=_spell(email))
        device_token = await _remember(pool, tokens, voucher, at, random_bytes, is_new=not known)
        return SignedIn(tokens=tokens, device_token=device_token)


def _name_device(email: str, caller: Caller) -> bytes | None:
    """Return by what a device is told from others, if its token was made here for this account."""
    token = caller.device_token
    if token is None or not Voucher(key=caller.key, account=_spell(email)).covers(token):
        return None
    return hash_token(DEVICE, token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """What one try is counted in; a known device has a bucket of its own, wherever it is."""

    account: bytes
    address: bytes | None

    @classmethod
    def of(cls, email: str, caller: Caller, *, is_known: bool) -> "Buckets":
        """The same for an account that does not exist: an answer must not tell."""
        if is_known and caller.device_token is not None:
            return cls(account=bucket_of(caller.key, "device", caller.device_token), address=None)
        return cls(
            account=bucket_of(caller.key, "account", _spell(email)),
            address=bucket_of(caller.key, "address", caller.address),
        )


def _spell(email: str) -> str:
    try:
        return normalise_email(email).lower()
    except UnfitEmail:
        return email.lower()


async def _find_known_device(pool: Pool, email: str, caller: Caller) -> bool:
    if caller.device_token is None:
        return False
    try:
        normalised = normalise_email(email)
    except UnfitEmail:
        return False
    async with pool.connection() as connection:
        stored = await find_password(connection, normalised)
        return stored is not None and await is_known_device(connection, stored.user_id, caller.device_token)


async def _remember(
    pool: Pool, tokens: Tokens, voucher: Voucher, at: datetime, random_bytes: RandomBytes, *, is_new: bool
) -> str:
    user_id = tokens.user_id
    async with pool.connection() as connection, connection.transaction():
        # Whoever has replaced the password since has ended this session too, and a device of its would stay behind.
        await take_turn(connection, user_id)
        if not await is_going_on(connection, tokens.session_id):
            raise SignInRefused
        # Nothing is new about the first of all; and whoever brings no token is told of once an hour at most.
        if is_new and await has_known_device(connection, user_id):
            await tell_user(connection, user_id, "new_sign_in", at=at, key=f"{at.astimezone(UTC):%Y%m%d%H}")
        return await remember_device(connection, user_id, voucher, at=at, random_bytes=random_bytes)
