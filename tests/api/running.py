"""A whole installation over real HTTP: API, reactions, read models, stand-in Paystack; only people are scripted."""

import asyncio
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

import httpx
import psycopg
import uvicorn
import uvloop

from api.app import create_app
from api.dependencies import Dependencies
from api.flows.registration import record_roles
from api.http.protocol import StrictHttp
from cli.rates import load_rates
from cli.wiring import PATIENCE_SECONDS, eraser_of
from database.connect import open_pool
from database.settings import Settings
from domain.actor import Role
from domain.ids import uuid7
from eventstore.appender import Appender
from eventstore.escrow import Escrow
from gateways.objects import Folder
from gateways.paystack.client import Paystack
from gateways.paystack.secret import SecretKey
from gateways.paystack.sim.server import StandIn, build_sim
from identity.authenticator import Authenticator
from identity.payout_account import PayoutAccount
from identity.role import SELF_SERVICE
from identity.session import Lifetimes, start_session
from identity.user import NewUser, create_user, verify_email
from projections.catch_up import catch_up_together
from projections.registry import PROJECTIONS
from reactions.toolbox import Toolbox
from reactions.watermark import Watermark
from reactions.worker import Worker
from tests.payee import name_account
from tests.registrar import REGISTRAR, bits_of, open_locksmith
from tests.waiting import wait_until

SECRET = SecretKey("sk_test_0123456789abcdef")
PASSWORD = "correct horse battery"
ROLES = {
    "buyer": SELF_SERVICE,
    "seller": SELF_SERVICE,
    "stranger": SELF_SERVICE,
    "other": SELF_SERVICE,
    "admin": frozenset({Role.ADMIN}),
    "super_admin": frozenset({Role.SUPER_ADMIN}),
    "super_admin_2": frozenset({Role.SUPER_ADMIN}),
    "auditor": frozenset({Role.AUDITOR}),
    "operator": frozenset({Role.OPERATOR}),
}
BORN = datetime.now(UTC)
PAUSE_SECONDS = 0.02
START_SECONDS = STOP_SECONDS = 60.0
JsonObject = dict[str, object]

WIRE = httpx.Client(trust_env=False, timeout=30)
"""One client for all tests: making one takes longer than most requests."""


class TestClock:
    """The present, and as much later as a test says."""

    __test__ = False

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Person:
    """Somebody signed in."""

    name: str
    id: UUID
    email: str
    token: str
    base_url: str
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def request(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self.token}"} | {name.replace("_", "-"): v for name, v in headers.items()}
        return WIRE.request(method, self.base_url + path, json=body, headers=sent)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: object = None, *, key: str | None = None, **headers: str) -> httpx.Response:
        return self.request("POST", path, body, Idempotency_Key=key or str(uuid4()), **headers)

    def must(self, path: str, body: object = None, method: str = "POST") -> JsonObject:
        answer = self.request(method, path, body, Idempotency_Key=str(uuid4()))
        assert answer.status_code < 300, answer.text
        return cast("JsonObject", answer.json())


@dataclass
class Installation:
    """What a test works with."""

    base_url: str
    stand_in: StandIn
    clock: TestClock
    app_dsn: str
    superuser_dsn: str
    people: dict[str, Person]
    dependencies: Dependencies
    codes: dict[str, str]
    files: Path
    without_worker: Callable[[], AbstractContextManager[None]]

    def head(self) -> int:
        with psycopg.connect(self.app_dsn) as connection:
            row = connection.execute("SELECT coalesce(max(notification_id), 0) FROM escrow_events").fetchone()
        return int(row[0]) if row else 0

    def written(self) -> int:
        """How many events people caused; reactions go on writing by themselves."""
        query = "SELECT count(*) FROM event_log WHERE data ->> 'actor_role' <> 'system'"
        with psycopg.connect(self.app_dsn) as connection:
            row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def list_account(self, price_minor: int = 100_000, seller: str = "seller") -> str:
        """An approved listing with credentials; its id."""
        owner, admin = self.people[seller], self.people["admin"]
        body = {
            "title": "An account",
            "description": "Old, with many followers.",
            "price": {"amount_minor": price_minor, "currency": "KES"},
        }
        listing = str(owner.must("/api/v1/listings", body)["id"])
        secret = {"credentials": {"username": "someone", "password": "hunter2"}}
        owner.must(f"/api/v1/listings/{listing}/credentials", secret, method="PUT")
        owner.must(f"/api/v1/listings/{listing}/submit")
        admin.must(f"/api/v1/admin/listings/{listing}/approve")
        return listing

    def open(self, price_minor: int = 100_000) -> str:
        listing = self.list_account(price_minor)
        return str(self.people["buyer"].must("/api/v1/transactions", {"listing_id": listing})["id"])

    def pay(self, transaction: str) -> None:
        page = self.people["buyer"].must(f"/api/v1/transactions/{transaction}/pay")
        answer = WIRE.post(str(page["authorization_url"]), json={"outcome": "success"})
        assert answer.status_code == 200, answer.text

    def hold(self, price_minor: int = 100_000) -> str:
        """A transaction that was paid and whose contract is ready to sign."""
        transaction = self.open(price_minor)
        self.pay(transaction)
        self.wait(transaction, lambda view: view["contract"] is not None)
        return transaction

    def sign(self, transaction: str, *names: str) -> None:
        view = self.view(transaction)
        sha256 = cast("JsonObject", view["contract"])["sha256"]
        for name in names or ("buyer", "seller"):
            body = {"content_sha256": sha256, "legal_name": name, "password": PASSWORD}
            self.people[name].must(f"/api/v1/transactions/{transaction}/contract/sign", body)

    def sold(self) -> str:
        """A transaction whose contract both have signed."""
        transaction = self.hold()
        self.sign(transaction)
        return transaction

    def reveal(self, transaction: str) -> None:
        """The buyer sees the credentials of a signed sale, and says so."""
        buyer, path = self.people["buyer"], f"/api/v1/transactions/{transaction}/reveal"
        buyer.must(path, {"password": PASSWORD})
        buyer.must(f"{path}/acknowledge")

    def confirm(self, transaction: str) -> None:
        """The buyer of a signed sale looks at the credentials and is content; the payout follows."""
        self.reveal(transaction)
        self.people["buyer"].must(f"/api/v1/transactions/{transaction}/confirm-access")

    def view(self, transaction: str, name: str = "buyer") -> JsonObject:
        answer = self.people[name].get(f"/api/v1/transactions/{transaction}")
        assert answer.status_code == 200, answer.text
        return cast("JsonObject", answer.json())

    def let_pass(self, passed: timedelta) -> None:
        """Time goes by in which the worker was there all along: a mere jump of the clock looks like an outage."""
        with psycopg.connect(self.superuser_dsn) as connection:
            signed = "UPDATE reaction_checkpoints SET updated_at = %s WHERE name = 'alive'"
            connection.execute(signed, (self.clock() + passed,))
        self.clock.ahead += passed

    def wait(self, transaction: str, until: Callable[[JsonObject], bool]) -> JsonObject:
        return wait_until(lambda: self.view(transaction), until)


class Runner:
    """API, reactions and read models on one event loop in a thread."""

    def __init__(self, dsn: str, stand_in: StandIn, poll_every: timedelta) -> None:
        self.dsn = dsn
        self.stand_in = stand_in
        self.poll_every = poll_every
        self.clock = TestClock()
        self.codes: dict[str, str] = {}
        self.files = Path(tempfile.mkdtemp(prefix="escrow-files-"))
        self.home = Path(tempfile.mkdtemp(prefix="escrow-home-"))
        self.ready = threading.Event()
        self.over = threading.Event()
        self.failure: BaseException | None = None
        self.base_url = ""
        self.people: dict[str, Person] = {}
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except BaseException as error:
            self.failure = error
            raise
        finally:
            self.ready.set()

    async def _serve(self) -> None:
        async with AsyncExitStack() as stack:
            pool = await stack.enter_async_context(open_pool(self.dsn, max_size=8, autocommit=True))
            appender = await stack.enter_async_context(Appender(self.dsn, patience_seconds=PATIENCE_SECONDS))
            gateway = await stack.enter_async_context(Paystack.connect(secret=SECRET, base_url=self.stand_in.base_url))
            escrow = Escrow(pool, appender, self.clock, lambda: uuid7(self.clock(), os.urandom))
            settings, objects = Settings(), Folder(self.files)
            watermark = Watermark(pool, self.home)
            self.dependencies = Dependencies(
                settings=settings,
                clock=self.clock,
                random_bytes=os.urandom,
                pool=pool,
                escrow=escrow,
                authenticator=Authenticator(pool, self.clock),
                locksmith=open_locksmith(),
                gateway=gateway,
                permit=watermark.permit,
                webhook_secret=SECRET,
                send_code=self._keep_code,
                text_code=self._keep_code,
                objects=objects,
                eraser=eraser_of(settings, pool, self.clock, objects),
                shared_key=bytes(32),
                rates=load_rates(settings.escrow_home),
            )
            tools = Toolbox(escrow=escrow, pool=pool, gateway=gateway, clock=self.clock, permit=watermark.permit)
            self.loop, self.worker = asyncio.get_running_loop(), Worker(tools, self.dsn, poll_every=self.poll_every)
            folding = asyncio.create_task(asyncio.to_thread(self._fold))
            app = create_app(self.dependencies)
            server = uvicorn.Server(uvicorn.Config(app, port=0, http=StrictHttp, log_level="critical"))
            serving = asyncio.create_task(server.serve())
            while not server.started:
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            self.base_url = f"http://127.0.0.1:{port}"
            for name, roles in ROLES.items():
                self.people[name] = await self._person(name, roles)
            await watermark.accept()
            # Not before: to a worker the log would have gone back behind a mark that nobody accepted.
            self._work()
            self.ready.set()
            await asyncio.to_thread(self.over.wait)
            server.should_exit = True
            await serving
            await self._rest()
            await folding

    def start(self) -> None:
        """Everybody is there when this returns."""
        self.thread.start()
        assert self.ready.wait(START_SECONDS), "the installation does not start"
        if self.failure is not None:
            raise self.failure

    def stop(self) -> None:
        """Stop all of it; raise what it has died of, also when nobody who asked it has noticed."""
        self.over.set()
        self.thread.join(STOP_SECONDS)
        assert not self.thread.is_alive(), "the installation does not stop"
        shutil.rmtree(self.files, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)
        if self.failure is not None:
            raise self.failure

    def _work(self) -> None:
        self.working = asyncio.create_task(self.worker.run())

    async def _rest(self) -> None:
        self.working.cancel()
        with suppress(asyncio.CancelledError):
            await self.working

    @contextmanager
    def without_worker(self) -> Generator[None]:
        """Nobody reacts for as long, so that a test can look at what only it has done."""
        asyncio.run_coroutine_threadsafe(self._rest(), self.loop).result()
        try:
            yield
        finally:
            self.loop.call_soon_threadsafe(self._work)

    def _fold(self) -> None:
        while not self.over.is_set():
            with suppress(psycopg.Error), psycopg.connect(self.dsn, autocommit=True) as connection:
                while not self.over.is_set():
                    catch_up_together(connection, PROJECTIONS)
                    time.sleep(PAUSE_SECONDS)
            time.sleep(PAUSE_SECONDS)  # also where no connection was to be had: nobody else would get to work

    async def _keep_code(self, address: str, code: str) -> None:
        self.codes[address] = code

    async def _person(self, name: str, roles: frozenset[Role]) -> Person:
        parts = self.dependencies
        new = NewUser(email=f"{name}@example.com", display_name=name, legal_name=name, roles=roles)
        at = BORN + timedelta(milliseconds=len(self.people))
        user = await create_user(parts.pool, REGISTRAR, new, PASSWORD, at=at, random_bytes=bits_of(name))
        account = PayoutAccount(
            type="mobile_money", bank_code="MPESA", account_number="0712345678", account_name=name, currency="KES"
        )
        async with parts.pool.connection() as connection:
            await verify_email(connection, user.id, self.clock())
        await record_roles(parts, user.id, user.roles, "test")
        await name_account(parts.escrow, parts.pool, user.id, account, self.clock())
        async with parts.pool.connection() as connection, connection.transaction():
            # Not by a password: Argon2id would take longer than all the rest.
            tokens = await start_session(
                connection, user.id, at=self.clock(), random_bytes=os.urandom, lifetimes=Lifetimes()
            )
        await self._confirm(user.id)
        return Person(name, user.id, user.email or "", tokens.access_token, self.base_url)

    async def _confirm(self, user_id: UUID) -> None:
        """As if they had shown an app's code, and went on showing codes for an hour: tests take their time."""
        async with self.dependencies.pool.connection() as connection:
            await connection.execute(
                "UPDATE public.sessions SET confirmed_at = %s, confirmed_by = 'totp' WHERE user_id = %s",
                (self.clock() + timedelta(hours=1), user_id),
            )
        self.dependencies.authenticator.forget(user_id)


@contextmanager
def run_installation(
    app_dsn: str, superuser_dsn: str, *, poll_every: timedelta = timedelta(seconds=0.2)
) -> Generator[Installation]:
    """Start everything, give it to the test, stop it."""
    with StandIn(build_sim(secret=SECRET, seed=1)) as stand_in:
        answer = WIRE.post(f"{stand_in.base_url}/_sim/balance", json={"currency": "KES", "amount_minor": 10**7})
        assert answer.status_code == 200, answer.text
        runner = Runner(app_dsn, stand_in, poll_every)
        try:
            runner.start()
            yield Installation(
                base_url=runner.base_url,
                stand_in=stand_in,
                clock=runner.clock,
                app_dsn=app_dsn,
                superuser_dsn=superuser_dsn,
                people=runner.people,
                dependencies=runner.dependencies,
                codes=runner.codes,
                files=runner.files,
                without_worker=runner.without_worker,
            )
        finally:
            runner.stop()
