"""`escrow demo`: everything on one machine, without the internet, with a story already told."""

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from uuid import UUID

import httpx

from cli.accounts import enrol, open_escrow
from cli.children import ChildFailed, Children
from cli.database import prepare_database, running_server
from cli.output import say
from cli.paystack_sim import make_secret_file
from cli.person import JsonObject, Person
from cli.story import Players, tell
from cli.treasury import move_funds
from cli.welcome import welcome
from cli.wiring import open_locksmith
from database.connect import open_pool, resolve_dsn
from database.facts import DATABASE_ROLES
from database.settings import Settings
from domain.actor import Role
from domain.money import Currency, Money
from domain.treasury import Movement
from eventstore.appender import Appender
from identity.user import NewUser

CreatePerson = Callable[[NewUser, str], Awaitable[UUID]]

HOST = "127.0.0.1"
CAPITAL_MINOR = 1_000_000_000
READY_SECONDS = 60.0
REFRESH_SECONDS = 600.0
WATCH_SECONDS = 0.5

PEOPLE: dict[str, tuple[str, frozenset[Role]]] = {
    "buyer": ("Demo Buyer", frozenset({Role.BUYER})),
    "seller": ("Demo Seller", frozenset({Role.SELLER})),
    "admin": ("Demo Admin", frozenset({Role.ADMIN})),
    "super_admin": ("Demo Super Admin", frozenset({Role.SUPER_ADMIN})),
    "super_admin_2": ("Demo Second Super Admin", frozenset({Role.SUPER_ADMIN})),
    "auditor": ("Demo Auditor", frozenset({Role.AUDITOR})),
}


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where API and stand-in answer."""

    base_url: str
    paystack_url: str


def run_demo(port: int) -> None:
    """Start all, tell the story once, and keep everything running until Ctrl-C or SIGTERM."""
    os.environ.pop("DATABASE_URL", None)
    signal.signal(signal.SIGTERM, _stop)
    settings = Settings()
    home = settings.escrow_home
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with running_server(settings):
        prepare_database(settings)
        port = port or _free_port()
        environment = {
            **os.environ,
            "ESCROW_HOME": str(home),
            "PAYSTACK_SECRET_KEY": make_secret_file(home).read_text(),
        }
        with Children(home / "log", environment) as children:
            asyncio.run(_run(settings, children, port))


def _stop(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


async def _run(settings: Settings, children: Children, port: int) -> None:
    stand_in_port = find_stand_in_port(settings.escrow_home)
    addresses = Addresses(base_url=f"http://{HOST}:{port}", paystack_url=f"http://{HOST}:{stand_in_port}")
    stand_in = _start_stand_in(settings.escrow_home, children, addresses)
    settings = _with_stand_in(settings, addresses)
    known = _known_transactions(settings.escrow_home)
    if known:
        _start_servers(children, addresses, port)
    if not (stand_in.stdout and stand_in.stdout.readline()):
        raise ChildFailed("the stand-in Paystack did not start; see log/paystack.log")
    async with (
        httpx.AsyncClient(base_url=addresses.base_url, timeout=30, trust_env=False) as client,
        httpx.AsyncClient(base_url=addresses.paystack_url, timeout=30, trust_env=False) as panel,
    ):
        people = await _find_people(settings, client)
        if not known:
            players = Players(buyer=people["buyer"], seller=people["seller"], admin=people["admin"], panel=panel)
            known = await _tell_all(settings, children, addresses, players)
        await _wait_until_ready(client, children)
        await _sign_all_in(people)
        facts = _facts(settings, addresses, people, known)
        _write_private(settings.escrow_home / "demo.json", facts)
        say(welcome(settings.escrow_home, facts))
        await _stay(settings.escrow_home, facts, people, children)


async def _tell_all(settings: Settings, children: Children, addresses: Addresses, players: Players) -> dict[str, str]:
    """Tell the story of eight days ago before anybody follows the log: a worker of today would date it today."""
    from cli.stuck import tell_stuck

    say("driving a transaction into each phase through the API ...")
    stuck = await tell_stuck(settings, players)
    _start_servers(children, addresses, int(addresses.base_url.rpartition(":")[2]))
    await _wait_until_ready(players.buyer.client, children)
    for person in (players.buyer, players.seller, players.admin):
        await person.sign_in()
    return {**await tell(players), "stuck": stuck}


def _start_servers(children: Children, addresses: Addresses, port: int) -> None:
    children.set("PAYSTACK_BASE_URL", addresses.paystack_url)
    children.start("api", ["cli.main", "serve", "--host", HOST, "--port", str(port)])
    children.start("worker", ["cli.main", "worker"])


def _known_transactions(home: Path) -> dict[str, str]:
    """Return what the story of an earlier start told; nothing on the first."""
    file = home / "demo.json"
    return dict(json.loads(file.read_text())["transactions"]) if file.exists() else {}


def _start_stand_in(home: Path, children: Children, addresses: Addresses) -> subprocess.Popen[str]:
    """Start the stand-in Paystack; it says one line when it answers."""
    arguments = ["cli.main", "paystack-sim", "--secret-file", str(make_secret_file(home))]
    arguments += ["--port", addresses.paystack_url.rpartition(":")[2], "--state-file", str(home / "paystack.json")]
    arguments += ["--webhook-url", f"{addresses.base_url}/api/v1/webhooks/paystack"]
    for currency in Currency:
        arguments += ["--balance", f"{currency}={CAPITAL_MINOR}"]
    return children.start("paystack", arguments, reads_output=True)


def _with_stand_in(settings: Settings, addresses: Addresses) -> Settings:
    """The settings of this process, with the same key and address as the children have."""
    os.environ["PAYSTACK_SECRET_KEY"] = make_secret_file(settings.escrow_home).read_text()
    os.environ["PAYSTACK_BASE_URL"] = addresses.paystack_url
    return Settings()


def find_stand_in_port(home: Path) -> int:
    """Return the port of the last start while it is free: payment pages that were given out then open again."""
    file = home / "demo.json"
    if not file.exists():
        return _free_port()
    try:
        return _free_port(int(json.loads(file.read_text())["paystack_url"].rpartition(":")[2]))
    except OSError:
        return _free_port()


def _free_port(wanted: int = 0) -> int:
    with socket.socket() as probe:
        # As the server does: what the last one left in TIME_WAIT is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, wanted))
        return int(probe.getsockname()[1])


async def _wait_until_ready(client: httpx.AsyncClient, children: Children) -> None:
    until = monotonic() + READY_SECONDS
    while monotonic() < until:
        children.check()
        try:
            if (await client.get("/api/v1/ops/readiness")).is_success:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.05)
    raise ChildFailed("the API did not become ready; see log/api.log")


async def _find_people(settings: Settings, client: httpx.AsyncClient) -> dict[str, Person]:
    """Return the people of the demo; on the first start they are made."""
    file = settings.escrow_home / "people.json"
    if not file.exists():
        _write_private(file, await _make_people(settings))
    known: dict[str, dict[str, str]] = json.loads(file.read_text())
    return {name: Person(client, **facts) for name, facts in known.items()}


async def _make_people(settings: Settings) -> dict[str, dict[str, str]]:
    made: dict[str, dict[str, str]] = {}
    async with _bare_ground(settings) as create:
        for name, (shown, roles) in PEOPLE.items():
            email, password = f"{name.replace('_', '-')}@demo.example", secrets.token_urlsafe(12)
            new = NewUser(email=email, display_name=shown, legal_name=shown, roles=roles)
            made[name] = {"user_id": str(await create(new, password)), "email": email, "password": password}
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
        for currency in Currency:
            for movement in (Movement.CAPITAL_PAID_IN, Movement.BALANCE_TOPPED_UP):
                await move_funds(escrow, movement, Money(CAPITAL_MINOR, currency), "opening of the demo")

        async def create(new: NewUser, password: str) -> UUID:
            return (await enrol(pool, locksmith, escrow, new, password)).id

        yield create


def _facts(
    settings: Settings, addresses: Addresses, people: dict[str, Person], transactions: dict[str, str]
) -> JsonObject:
    return {
        "base_url": addresses.base_url,
        "paystack_url": addresses.paystack_url,
        "dsn": {role: resolve_dsn(settings, role) for role in DATABASE_ROLES},
        "users": _shown(people),
        "transactions": transactions,
    }


def _shown(people: dict[str, Person]) -> dict[str, dict[str, str]]:
    return {
        name: {"id": person.id, "email": person.email, "password": person.password, "token": person.token}
        for name, person in people.items()
    }


async def _sign_all_in(people: dict[str, Person]) -> None:
    await asyncio.gather(*(person.sign_in() for person in people.values()))


async def _stay(home: Path, facts: JsonObject, people: dict[str, Person], children: Children) -> None:
    """Keep running; tokens last 15 minutes, so demo.json gets new ones in time."""
    refresh_at = monotonic() + REFRESH_SECONDS
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        children.check()
        if monotonic() > refresh_at:
            await _sign_all_in(people)
            _write_private(home / "demo.json", {**facts, "users": _shown(people)})
            refresh_at = monotonic() + REFRESH_SECONDS


def _write_private(file: Path, content: object) -> None:
    """Write whole or not at all, readable by the owner alone: it holds passwords."""
    temporary = file.with_suffix(".new")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(content, indent=2) + "\n")
    temporary.replace(file)
