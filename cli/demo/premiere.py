"""The first start of the demo: the people are made, and a transaction is driven into each phase."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from cli.demo.keeping import Story, write_private
from cli.demo.stage import CAPITAL_MINOR
from cli.demo.story import CHAPTERS, Players, prepare
from cli.operator import escrow_of
from cli.run.treasury import move_funds
from cli.run.user import enrol, give_second_factor
from cli.wiring import open_locksmith
from database.connect import open_pool, resolve_dsn
from database.settings import Settings
from domain.actor import Role
from domain.money import PAYABLE, Money
from domain.treasury import MoveFunds, Movement
from eventstore.appender import Appender
from identity.user import EmailTaken, NewUser

CreatePerson = Callable[[NewUser, str], Awaitable[dict[str, str]]]

PEOPLE: dict[str, tuple[str, frozenset[Role]]] = {
    "buyer": ("Demo Buyer", frozenset({Role.BUYER})),
    "seller": ("Demo Seller", frozenset({Role.SELLER})),
    "admin": ("Demo Admin", frozenset({Role.ADMIN})),
    "super_admin": ("Demo Super Admin", frozenset({Role.SUPER_ADMIN})),
    "super_admin_2": ("Demo Second Super Admin", frozenset({Role.SUPER_ADMIN})),
    "auditor": ("Demo Auditor", frozenset({Role.AUDITOR})),
}


async def make_people(settings: Settings, file: Path, known: dict[str, dict[str, str]]) -> None:
    """Make the people of the demo who are not known yet, and give the platform its capital.

    Each is written down at once, with the password: a first start may end anywhere.
    """
    async with _bare_ground(settings) as create:
        for name in [name for name in PEOPLE if name not in known]:
            known[name] = await _make(create, name)
            write_private(file, known)


async def _make(create: CreatePerson, name: str) -> dict[str, str]:
    shown, roles = PEOPLE[name]
    address, password = name.replace("_", "-"), secrets.token_urlsafe(12)
    # The second: an earlier start made somebody of this name and ended before the password was written down.
    for email in (f"{address}@demo.example", f"{address}.{secrets.token_hex(2)}@demo.example"):
        new = NewUser(email=email, display_name=shown, legal_name=shown, roles=roles)
        with suppress(EmailTaken):
            return {"email": email, "password": password, **await create(new, password)}
    raise EmailTaken


@asynccontextmanager
async def _bare_ground(settings: Settings) -> AsyncGenerator[CreatePerson]:
    dsn = resolve_dsn(settings, "app")
    async with (
        open_pool(dsn, max_size=2, autocommit=True) as pool,
        Appender(dsn) as appender,
        open_locksmith(pool, settings) as locksmith,
    ):
        escrow = escrow_of(pool, appender)
        for currency in sorted(PAYABLE):
            for movement in (Movement.CAPITAL_PAID_IN, Movement.BALANCE_TOPPED_UP):
                amount = Money(CAPITAL_MINOR, currency)
                await move_funds(escrow, MoveFunds(movement=movement, amount=amount, evidence="opening of the demo"))

        async def create(new: NewUser, password: str) -> dict[str, str]:
            user = await enrol(pool, locksmith, escrow, new, password)
            seed, _ = await give_second_factor(pool, locksmith, user.id)
            return {"user_id": str(user.id), "totp_secret": seed.text}

        yield create


async def tell_all(players: Players, story: Story) -> None:
    """Drive a transaction into each phase that the story has not come to yet."""
    await asyncio.gather(*(person.sign_in() for person in (players.buyer, players.seller, players.admin)))
    await prepare(players)
    for phase, (chapter, title) in CHAPTERS.items():
        if phase not in story.told:
            story.keep(phase, await chapter(players, title))
