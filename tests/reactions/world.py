"""A small world: the real log, the real stand-in over HTTP, real people; only the clock is ours."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

import httpx

from database.connect import Pool, open_pool
from domain.actor import Actor, Role
from domain.aggregate import Aggregate
from domain.command import Command
from domain.ids import uuid7
from domain.listing import Listing
from domain.listing.commands import ApproveListing, DepositCredentials, DraftListing, SubmitListing
from domain.money import Currency, Money
from domain.policy import Terms
from domain.transaction import Transaction
from domain.transaction.commands import (
    AcknowledgeReveal,
    ConfirmAccess,
    OpenTransaction,
    RevealCredentials,
    SignContract,
)
from domain.transaction.opening import UsdRate
from eventstore.appender import Appender
from eventstore.escrow import Escrow, Request
from gateways.paystack.client import Paystack
from gateways.paystack.http import Retries, Timeouts
from gateways.paystack.secret import SecretKey
from gateways.paystack.sim.server import StandIn, build_sim
from identity.payout_account import PayoutAccount
from identity.user import NewUser, User, create_user, find_user
from reactions.advance import advance
from reactions.payment_page import PaymentPage, request_page
from reactions.toolbox import Processor, Toolbox
from tests.payee import name_account
from tests.permit import always
from tests.registrar import REGISTRAR, bits_of
from tests.standing import standing

SECRET = SecretKey("sk_test_0123456789abcdef")
HASTY = Timeouts(connect_seconds=2.0, read_seconds=1.5, total_seconds=4.0)
NONE = Retries(attempts=1)
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
CAPITAL_MINOR = 10_000
PRICE = Money(100_000, Currency.KES)
RATE = UsdRate(currency=Currency.KES, units_per_usd="129.5", on="2026-11-01")


@dataclass
class World:
    """Everything a story about reactions needs."""

    pool: Pool
    escrow: Escrow
    tools: Toolbox
    panel: httpx.AsyncClient
    buyer: User
    seller: User
    at: datetime = START
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def clock(self) -> datetime:
        return self.at

    def wait(self, **time: float) -> None:
        self.at += timedelta(**time)

    def request(self, actor: Actor) -> Request:
        return Request.keyed(actor, f"{actor}{next(self.numbers)}")

    async def do(self, actor: Actor, stream_id: UUID, command: Command[Aggregate]) -> Aggregate:
        return (await self.escrow.execute(stream_id, command, self.request(actor))).aggregate

    @property
    def as_buyer(self) -> Actor:
        return Actor(str(self.buyer.id), Role.BUYER)

    @property
    def as_seller(self) -> Actor:
        return Actor(str(self.seller.id), Role.SELLER)

    async def transaction(self, transaction_id: UUID) -> Transaction:
        return await self.escrow.get(Transaction, transaction_id)

    async def list_account(self) -> UUID:
        listing_id, vault_id = self.escrow.new_id(), self.escrow.new_id()
        draft = DraftListing(seller_id=self.seller.id, price=PRICE, content_id=uuid4(), content_sha256="0" * 64)
        await self.do(self.as_seller, listing_id, draft)
        deposit = DepositCredentials(
            listing_id=listing_id,
            ciphertext=b"sealed",
            commitment_sha256="0" * 64,
            suite="test",
            seller_key_fingerprint="0" * 64,
        )
        await self.do(self.as_seller, vault_id, deposit)
        await self.do(self.as_seller, listing_id, SubmitListing())
        await self.do(Actor(str(uuid4()), Role.ADMIN), listing_id, ApproveListing())
        return listing_id

    async def open(self, terms: Terms | None = None) -> UUID:
        transaction_id = self.escrow.new_id()
        command = OpenTransaction(listing_id=await self.list_account(), rate=RATE, terms=terms or Terms())
        await self.do(self.as_buyer, transaction_id, command)
        return transaction_id

    async def page(self, transaction_id: UUID) -> PaymentPage:
        return await request_page(self.tools, transaction_id, self.request(self.as_buyer))

    async def pay(self, transaction_id: UUID, outcome: str = "success") -> PaymentPage:
        page = await self.page(transaction_id)
        answer = await self.panel.post(page.authorization_url, json={"outcome": outcome})
        assert answer.status_code == 200
        return page

    async def advance(self, transaction_id: UUID) -> Transaction:
        await advance(self.tools, transaction_id)
        return await self.transaction(transaction_id)

    async def hold(self, terms: Terms | None = None) -> UUID:
        transaction_id = await self.open(terms)
        await self.pay(transaction_id)
        await self.advance(transaction_id)
        return transaction_id

    async def release(self) -> UUID:
        """Paid and confirmed: the seller is owed, and nothing was sent to him yet."""
        transaction_id = await self.hold()
        await self.confirm(transaction_id)
        return transaction_id

    async def sign(self, transaction_id: UUID) -> None:
        transaction = await self.transaction(transaction_id)
        for actor in (self.as_buyer, self.as_seller):
            command = SignContract(
                content_sha256=transaction.contract_sha256 or "",
                name_digest="0" * 64,
                acknowledgements=(),
                granted_fingerprint=transaction.buyer_key_fingerprint if actor == self.as_seller else None,
            )
            await self.do(actor, transaction_id, command)

    async def confirm(self, transaction_id: UUID) -> None:
        await self.sign(transaction_id)
        for command in (
            RevealCredentials(sealed_to="plaintext"),
            AcknowledgeReveal(),
            ConfirmAccess(statements=("ok",)),
        ):
            await self.do(self.as_buyer, transaction_id, command)

    async def listing_of(self, transaction_id: UUID) -> Listing:
        return await self.escrow.get(Listing, (await self.transaction(transaction_id)).listing_id)

    async def fault(self, endpoint: str, kind: str, **details: object) -> None:
        answer = await self.panel.post("/_sim/faults", json={"endpoint": endpoint, "kind": kind, **details})
        assert answer.status_code == 201, answer.text

    async def moved(self, kind: str) -> list[int]:
        lines = (await self.panel.get("/_sim/journal")).json()["lines"]
        return [line["difference_minor"] for line in lines if line["kind"] == kind]

    async def top_up(self, amount_minor: int) -> None:
        answer = await self.panel.post("/_sim/balance", json={"currency": "KES", "amount_minor": amount_minor})
        assert answer.status_code == 200


@asynccontextmanager
async def open_world(
    dsn: str, wrap: Callable[[Processor], Processor] = lambda real: real, known: StandIn | None = None
) -> AsyncIterator[World]:
    """A world on a fresh database; `wrap` may put something between the reactions and the processor.

    With a stand-in that is `known` the database may be one that another world has left behind.
    """
    with standing(build_sim(secret=SECRET, seed=1)) if known is None else nullcontext(known) as stand_in:
        async with (
            open_pool(dsn, max_size=6, autocommit=True) as pool,
            Appender(dsn) as appender,
            Paystack.connect(secret=SECRET, base_url=stand_in.base_url, timeouts=HASTY, retries=NONE) as gateway,
            httpx.AsyncClient(base_url=stand_in.base_url, trust_env=False) as panel,
        ):
            world = World.__new__(World)
            escrow = Escrow(pool, appender, lambda: world.at, lambda: uuid7(world.at, os.urandom))
            buyer, seller = await meet(pool, escrow)
            tools = Toolbox(escrow=escrow, pool=pool, gateway=wrap(gateway), clock=lambda: world.at, permit=always)
            world.__init__(pool=pool, escrow=escrow, tools=tools, panel=panel, buyer=buyer, seller=seller)
            # The processor's fees come out of the balance: without capital a refund in full could never go out.
            await world.top_up(CAPITAL_MINOR)
            yield world


async def meet(pool: Pool, escrow: Escrow) -> tuple[User, User]:
    """The buyer and the seller."""
    return await _person(pool, escrow, "buyer"), await _person(pool, escrow, "seller")


async def _person(pool: Pool, escrow: Escrow, name: str) -> User:
    async with pool.connection() as connection:
        found = await find_user(connection, f"{name}@example.com")
    if found is not None:
        return found
    new = NewUser(email=f"{name}@example.com", display_name=name, legal_name=name)
    user = await create_user(pool, REGISTRAR, new, "correct horse battery", at=START, random_bytes=bits_of(name))
    account = PayoutAccount(
        type="mobile_money", bank_code="MPESA", account_number="0712345678", account_name=name, currency=Currency.KES
    )
    await name_account(escrow, pool, user.id, account, START)
    return user


def run(dsn: str, story: Callable[[World], Awaitable[None]]) -> None:
    """Tell a story in a fresh world."""

    async def tell() -> None:
        async with open_world(dsn) as world:
            await story(world)

    asyncio.run(tell())
