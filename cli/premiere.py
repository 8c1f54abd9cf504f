"""The first start of the demo: the people are made, and a transaction is driven into each phase."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from cli.accounts import enrol, give_second_factor, open_escrow
from cli.demo import CAPITAL_MINOR
from cli.story import Players, tell
from cli.treasury import move_funds
from cli.wiring import open_locksmith
from database.connect import open_pool, resolve_dsn
from database.settings import Settings
from domain.actor import Role
from domain.money import PAYABLE, Money
from domain.treasury import Movement
from eventstore.appender import Appender
from identity.user import NewUser

CreatePerson = Callable[[NewUser, str], Awaitable[dict[str, str]]]

PEOPLE: dict[str, tuple[str, frozenset[Role]]] = {
    "buyer": ("Demo Buyer", frozenset({Role.BUYER})),
    "seller": ("Demo Seller", frozenset({Role.SELLER})),
    "admin": ("Demo Admin", frozenset({Role.ADMIN})),
    "super_admin": ("Demo Super Admin", frozenset({Role.SUPER_ADMIN})),
    "super_admin_2": ("Demo Second Super Admin", frozenset({Role.SUPER_ADMIN})),
    "auditor": ("Demo Auditor", frozenset({Role.AUDITOR})),
}


async def make_people(settings: Settings) -> dict[str, dict[str, str]]:
    """Make the people of the demo, and give the platform its capital; return who they are, with their passwords."""
    made: dict[str, dict[str, str]] = {}
    async with _bare_ground(settings) as create:
        for name, (shown, roles) in PEOPLE.items():
            email, password = f"{name.replace('_', '-')}@demo.example", secrets.token_urlsafe(12)
            new = NewUser(email=email, display_name=shown, legal_name=shown, roles=roles)
            made[name] = {"email": email, "password": password, **await create(new, password)}
    return made


@asynccontextmanager
async def _bare_ground(settings: Settings) -> AsyncGenerator[CreatePerson]:
    dsn = resolve_dsn(settings, "app")
    async with (
        open_pool(dsn, max_size=2, autocommit=True) as pool,
        Appender(dsn) as appender,
        open_locksmith(pool, settings) as locksmith,
    ):
        escrow = open_escrow(pool, appender)
        for currency in sorted(PAYABLE):
            for movement in (Movement.CAPITAL_PAID_IN, Movement.BALANCE_TOPPED_UP):
                await move_funds(escrow, movement, Money(CAPITAL_MINOR, currency), "opening of the demo")

        async def create(new: NewUser, password: str) -> dict[str, str]:
            user = await enrol(pool, locksmith, escrow, new, password)
            seed, _ = await give_second_factor(pool, locksmith, user.id)
            return {"user_id": str(user.id), "totp_secret": seed.text}

        yield create


async def tell_all(players: Players) -> dict[str, str]:
    """Return the id of a transaction in each phase."""
    await asyncio.gather(*(person.sign_in() for person in (players.buyer, players.seller, players.admin)))
    return await tell(players)
