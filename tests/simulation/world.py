"""One seed's world: people, transactions, an API and a worker as processes of their own, the processor, one clock."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg

from database.connect import Pool
from domain.actor import Actor, Role
from domain.aggregate import Aggregate
from domain.command import Command
from domain.errors import EscrowError
from domain.ids import uuid7
from domain.money import Currency, Money
from domain.policy import Silence, Terms
from domain.transaction import Transaction
from domain.treasury import MoveFunds, Movement, OpenTreasury, treasury_id
from eventstore.appender import Appender
from eventstore.escrow import Request
from gateways.errors import GatewayError
from identity.payout_account import PayoutAccount
from identity.user import User
from projections.catch_up import catch_up_together
from projections.payout import PAYOUTS
from projections.projection import Projection
from projections.transaction import TRANSACTIONS
from tests.killed import Killed
from tests.payee import name_account
from tests.simulation.judge import Judge
from tests.simulation.ports import Process
from tests.simulation.processor import Processor

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
REASON = "decided after reading the evidence"
FOREIGN = (Currency.GHS, Currency.USD)
"""Nothing is sold in these, and somebody pays in them all the same."""
BANKS = {Currency.KES: ("mobile_money", "MPESA"), Currency.NGN: ("nuban", "058")}
CAPITAL_MINOR = 1_000_000
PATIENCE_SECONDS = 30.0
SERVER_ERROR = 500
CROWD = 10
NEEDED = (TRANSACTIONS, PAYOUTS)


@dataclass(frozen=True)
class Plan:
    """What a run asks of every seed."""

    steps: int = 50
    transactions: int = 3
    misbehave: bool = False
    webhooks: bool = True
    kills: bool = True
    steady: bool = False
    """Nothing fails by chance: two runs differ only in what `murder_rate` does to the worker."""
    murder_rate: float = 0.0

    @property
    def share_of_time(self) -> float:
        """With many transactions less of the steps are for what concerns all of them at once."""
        return min(1.0, CROWD / self.transactions)


@dataclass
class Mind:
    """What the die decided for this seed before anything happened: some seeds are calm, some are wild."""

    currency: Currency
    price: Money
    terms: Terms
    limit_usd_cents: int
    fault_rate: float
    kill_rate: float
    wrong_rate: float
    has_chargebacks: bool

    @classmethod
    def draw(cls, die: random.Random, plan: Plan) -> "Mind":
        currency = die.choice((Currency.KES, Currency.NGN))
        wild = 0.3 if plan.misbehave else die.choice((0.0, 0.0, 0.1, 0.3)) * (not plan.steady)
        return cls(
            currency=currency,
            price=Money(die.choice((100_000, 33_333, 7_777_777)), currency),
            terms=Terms(
                fee_bps=die.choice((1000, 0, 333)),
                tax_bps=die.choice((0, 0, 1600)),
                reserve_bps=die.choice((0, 0, 500)),
                warranty_seconds=die.choice((0, 7 * 86_400)),
                silence=die.choice(tuple(Silence)),
            ),
            limit_usd_cents=die.choice((0, 500, 10**9)),
            fault_rate=wild,
            kill_rate=(0.15 if plan.misbehave else die.choice((0.0, 0.1))) * (plan.kills and not plan.steady),
            wrong_rate=die.choice((0.05, 0.3)),
            has_chargebacks=die.choice((True, True, False)),
        )


class WatchedAppender(Appender):
    """An appender of which one can tell whether it is done."""

    @property
    def is_idle(self) -> bool:
        """Whether every proposal has its outcome."""
        return not self._queue and not self._in_flight


@dataclass
class Stage:
    """What outlives a seed: the database, its people, and open connections."""

    pool: Pool
    appender: WatchedAppender
    folding: psycopg.Connection
    buyers: list[User]
    sellers: list[User]


@dataclass
class World:
    """Everything that the steps of a seed touch."""

    stage: Stage
    seed: int
    plan: Plan
    die: random.Random = field(init=False)
    at: datetime = START
    requests: int = 0
    transactions: list[UUID] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    suspended: "dict[UUID, asyncio.Task[str | None]]" = field(default_factory=dict)
    """Reactions that wait for the processor while everybody else goes on."""
    murders: int = 0

    def __post_init__(self) -> None:
        self.die, self.murderer = random.Random(self.seed), random.Random(f"murderer {self.seed}")
        self.mind = Mind.draw(self.die, self.plan)
        self.judge = Judge(self.mind.limit_usd_cents)
        self.processor = Processor(self.clock, self.die, self.mind.fault_rate)
        if self.plan.misbehave:
            self.processor.misbehave()
        outside = self.stage.pool, self.stage.appender, self.processor.gateway, self.clock, self.new_id
        self.api, self.worker = Process(*outside), Process(*outside)
        people = [UUID(int=self.die.getrandbits(128), version=4) for _ in range(3)]
        self.admin = Actor(str(people[0]), Role.ADMIN)
        self.supers = [Actor(str(one), Role.SUPER_ADMIN) for one in people[1:]]

    def clock(self) -> datetime:
        return self.at

    def wait(self, **time: float) -> None:
        self.at += timedelta(**time)

    def new_id(self) -> UUID:
        return uuid7(self.at, self.die.randbytes)

    # -- talking to the product ----------------------------------------------------------------------------------------

    def request(self, actor: Actor) -> Request:
        self.requests += 1
        return Request.keyed(actor, f"{self.seed} {actor} {self.requests}")

    async def order(self, actor: Actor, stream_id: UUID, command: Command[Aggregate]) -> Aggregate:
        """Give a command through the API; after a crash of the API ask again with the same key."""
        request = self.request(actor)
        return await self.survive(lambda: self.api.escrow.execute(stream_id, command, request))

    async def survive(self, work: Callable[[], Awaitable]) -> Aggregate:
        """The API may die under a command; whoever asked asks again once it is back."""
        if self.die.random() < self.mind.kill_rate:
            self.api.fuse.kill_after(self.die.randint(1, 12))
        try:
            result = await work()
        except Killed:
            self.api.start()
            result = await work()
        finally:
            self.api.fuse.disarm()
        return getattr(result, "aggregate", result)

    async def look(self, transaction_id: UUID) -> Transaction:
        """Where a transaction stands, as the log says."""
        return await self.api.escrow.get(Transaction, transaction_id)

    def note(self, what: str, outcome: str) -> None:
        """Write a line of the trace."""
        minutes = int((self.at - START).total_seconds() // 60)
        self.trace.append(f"{len(self.trace):4d} +{minutes:6d}min {what}: {outcome}")

    def label(self, transaction_id: UUID) -> str:
        """A short name for the trace."""
        return f"t{self.transactions.index(transaction_id)}" if transaction_id in self.transactions else "?"

    # -- setting up ----------------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """The platform's capital, and where people are paid."""
        currency = self.mind.currency
        system = Actor("reconciliation", Role.SYSTEM)
        books = treasury_id(currency)
        await self.order(system, books, OpenTreasury(currency=currency))
        await self.move_funds(Movement.CAPITAL_PAID_IN, 10**12)
        await self.top_up(CAPITAL_MINOR)
        kind, bank = BANKS[currency]
        for number, user in enumerate([*self.stage.buyers, *self.stage.sellers]):
            account = PayoutAccount(
                type=kind,
                bank_code=bank,
                account_number=f"07123456{number:02d}",
                account_name="x",
                currency=currency,
            )
            await name_account(self.api.escrow, self.stage.pool, user.id, account, START)

    async def move_funds(self, movement: Movement, amount_minor: int) -> None:
        command = MoveFunds(movement=movement, amount=Money(amount_minor, self.mind.currency), evidence="statement")
        await self.order(self.supers[0], treasury_id(self.mind.currency), command)

    async def top_up(self, amount_minor: int) -> None:
        """Money from the bank to the processor's balance, on both sides."""
        self.processor.top_up(self.mind.currency.value, amount_minor)
        await self.move_funds(Movement.BALANCE_TOPPED_UP, amount_minor)

    async def cover_foreign_fees(self) -> None:
        """The fee of a charge in another currency was kept from money that goes back in full: somebody pays it in."""
        system = Actor("reconciliation", Role.SYSTEM)
        for currency in FOREIGN:
            missing = self.mind.price.amount_minor
            await self.order(system, treasury_id(currency), OpenTreasury(currency=currency))
            command = MoveFunds(
                movement=Movement.BALANCE_TOPPED_UP, amount=Money(missing, currency), evidence="statement"
            )
            self.processor.top_up(currency.value, missing)
            await self.order(self.supers[0], treasury_id(currency), command)

    # -- the machine ---------------------------------------------------------------------------------------------------

    def fold(self, projections: tuple[Projection, ...] = NEEDED) -> None:
        """Let the read models catch up with the log; the worker needs two of them."""
        catch_up_together(self.stage.folding, projections)

    async def react(self, transaction_id: UUID, reported: str | None = None) -> str:
        """Let the worker advance a transaction, as it does after an event, a webhook or a poll."""
        return await self.run_worker(lambda: self.worker.worker.advance(transaction_id, reported))

    async def run_worker(self, work: Callable[[], Awaitable]) -> str:
        """The worker may die on the way; it starts again, and goes on when it is next called."""
        if self.die.random() < self.mind.kill_rate:
            self.worker.fuse.kill_after(self.die.randint(1, 30))
        while True:
            if self.murderer.random() < self.plan.murder_rate:
                self.worker.fuse.kill_after(self.murderer.randint(1, 20))
            try:
                outcome = await work()
                return "ok" if outcome is None else str(outcome)
            except Killed:
                await self.restart_worker()
                self.murders += 1
                if not self.plan.murder_rate:
                    return "killed"
            finally:
                self.worker.fuse.disarm()

    async def restart_worker(self) -> None:
        """Everything that was in its memory, and under way, is gone."""
        self.worker.fuse.is_dead = True
        for waiting in self.suspended.values():
            self.worker.fuse.resume()
            await asyncio.gather(waiting, return_exceptions=True)
        self.suspended.clear()
        # What the dead one had handed in is committed, as PostgreSQL would: now, and not during somebody's next step.
        while not self.stage.appender.is_idle:
            await asyncio.sleep(0)
        self.worker.start()


async def answer(work: Awaitable[object]) -> str:
    """What came of a request, in a word."""
    try:
        await work
    except GatewayError as error:
        return f"processor {error.code}"
    except EscrowError as error:
        if error.status >= SERVER_ERROR:
            raise
        return f"refused {error.code}"
    return "done"
