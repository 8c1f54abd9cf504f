"""The demo as it is played at every start: the database, the people signed in, and everything kept running."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from time import monotonic

import httpx

from cli.connection import prepare_database, running_server
from cli.demo.children import Children
from cli.demo.keeping import Story, read_people, write_private
from cli.demo.letterbox import open_letterbox
from cli.demo.person import DemoFailed, JsonObject, Person
from cli.demo.stage import Addresses
from cli.demo.story import CHAPTERS, Players
from cli.demo.welcome import welcome
from cli.home import DEMO_FILE, message_folder
from cli.output import say
from database.connect import resolve_dsn
from database.facts import DATABASE_ROLES
from database.settings import Settings

READY_SECONDS = 60.0
RENEW_SECONDS = 600.0
CONFIRM_SECONDS = 200.0
WATCH_SECONDS = 0.5
PEOPLE_FILE = "people.json"


def play(settings: Settings, children: Children, addresses: Addresses) -> None:
    """Have the database, and play on it until interrupted. The children stop before the database does."""
    with running_server(settings), open_letterbox(message_folder(settings.escrow_home)) as mail_url:
        try:
            prepare_database(settings)
            asyncio.run(_run(settings, children, addresses, mail_url))
        finally:
            children.stop()


async def _run(settings: Settings, children: Children, addresses: Addresses, mail_url: str) -> None:
    story = Story.read(settings.escrow_home)
    if "stuck" in story.told:
        _begin(children)
    if not children.hear("paystack"):
        raise children.failure_of("paystack")
    async with (
        httpx.AsyncClient(base_url=addresses.base_url, timeout=30, trust_env=False) as client,
        httpx.AsyncClient(base_url=addresses.paystack_url, timeout=30, trust_env=False) as panel,
    ):
        people = await _find_people(settings, client, story)
        players = Players(buyer=people["buyer"], seller=people["seller"], admin=people["admin"], panel=panel)
        if "stuck" not in story.told:
            await _tell_of_the_past(settings, players, story)
            _begin(children)
        await _wait_until_ready(client, children)
        if not story.told.keys() >= CHAPTERS.keys():
            await _tell_of_today(players, story)
        await for_each(people, Person.sign_in)
        _keep_people(settings.escrow_home, people)
        facts = _facts(settings, addresses, people, story.told)
        write_private(settings.escrow_home / DEMO_FILE, facts)
        say(welcome(settings.escrow_home, facts, mail_url))
        await _stay(settings.escrow_home, facts, people, children)


async def _tell_of_the_past(settings: Settings, players: Players, story: Story) -> None:
    """Tell what was eight days ago before anybody follows the log: a worker of today would date it today."""
    from cli.demo.stuck import tell_stuck

    say("driving a transaction into each phase through the API ...")
    story.keep("stuck", await tell_stuck(settings, players))


async def _tell_of_today(players: Players, story: Story) -> None:
    from cli.demo.premiere import tell_all

    await tell_all(players, story)


def _begin(children: Children) -> None:
    for name in ("api", "worker"):
        children.begin(name)


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
    raise children.failure_of("api")


async def _find_people(settings: Settings, client: httpx.AsyncClient, story: Story) -> dict[str, Person]:
    """Return the people of the demo; they are made before the first of them does anything."""
    file = settings.escrow_home / PEOPLE_FILE
    known = read_people(file)
    if "stuck" not in story.told:
        from cli.demo.premiere import make_people

        await make_people(settings, file, known)
    return {name: Person(client, **facts) for name, facts in known.items()}


def _keep_people(home: Path, people: dict[str, Person]) -> None:
    """With what resumes their sessions at the next start: six passwords take a second to check."""
    write_private(home / PEOPLE_FILE, {name: person.facts for name, person in people.items()})


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
        name: {
            "id": person.id,
            "email": person.email,
            "password": person.password,
            "totp_secret": person.totp_secret,
            "token": person.token,
        }
        for name, person in people.items()
    }


async def _stay(home: Path, facts: JsonObject, people: dict[str, Person], children: Children) -> None:
    """Keep running. Whatever token demo.json shows is good, and its person confirmed, for as long as it lasts."""
    renew_at, confirm_at = monotonic() + RENEW_SECONDS, monotonic() + CONFIRM_SECONDS
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        children.check()
        if monotonic() > renew_at:
            renew_at = monotonic() + RENEW_SECONDS
            await for_each(people, Person.sign_in_anew)
            _show(home, facts, people)
        if monotonic() > confirm_at:
            confirm_at = monotonic() + CONFIRM_SECONDS
            await for_each(people, Person.stay_signed_in)
            _show(home, facts, people)


def _show(home: Path, facts: JsonObject, people: dict[str, Person]) -> None:
    _keep_people(home, people)
    write_private(home / DEMO_FILE, {**facts, "users": _shown(people)})


async def for_each(people: Mapping[str, Person], act: Callable[[Person], Awaitable[None]]) -> None:
    """Let all of them do it at once; whoever cannot, as his password was changed, is named, and the demo goes on."""

    async def attempt(name: str, person: Person) -> None:
        try:
            await act(person)
        except DemoFailed as failure:
            asked, status = failure.facts.get("asked"), failure.facts.get("status")
            say(f"{name} of the demo cannot sign in: {asked} was answered with {status}")

    await asyncio.gather(*(attempt(name, person) for name, person in people.items()))
