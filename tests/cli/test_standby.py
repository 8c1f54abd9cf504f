"""What the demo prepares: processes that have imported everything and wait for a word; sessions that are resumed."""

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from cli.demo.person import Person
from cli.standby import GO
from tests.escrow_command import ROOT, environment_of


def say(home: Path, word: str) -> subprocess.CompletedProcess[str]:
    """Prepare an API that cannot begin, for want of the processor's key."""
    program = [sys.executable, "-m", "cli.standby", "serve", "--port", "1"]
    settings = environment_of(home)
    return subprocess.run(program, cwd=ROOT, env=settings, input=word, capture_output=True, text=True, check=False)


def test_what_stands_by_begins_when_it_is_told_to(tmp_path: Path) -> None:
    begun = say(tmp_path, GO)
    assert begun.returncode == 4
    assert "PAYSTACK_SECRET_KEY" in begun.stderr


@pytest.mark.parametrize("word", ["", "stop\n"])
def test_what_stands_by_just_ends_when_nobody_is_there_to_tell(tmp_path: Path, word: str) -> None:
    ended = say(tmp_path, word)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("known", "asked"), [("", ["login"]), ("esr_good", ["refresh"]), ("esr_used_before", ["refresh", "login"])]
)
def test_a_session_is_resumed_or_else_begun_anew(known: str, asked: list[str]) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path.rpartition("/")[2])
        if b"used_before" in request.content:
            return httpx.Response(401, json={})
        tokens = {"access_token": "esc_new", "refresh_token": "esr_new"}
        return httpx.Response(200, json={**tokens, "confirmed_at": "2100-01-01T00:00:00Z"})

    async def sign_in() -> Person:
        async with httpx.AsyncClient(base_url="http://api", transport=httpx.MockTransport(answer)) as client:
            person = Person(client, "id", "a@example.com", "a password", "", refresh_token=known)
            await person.sign_in()
            return person

    person = asyncio.run(sign_in())
    assert (seen, person.token, person.facts["refresh_token"]) == ([*asked, "second-factor"], "esc_new", "esr_new")


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("cli.demo.start", ["psycopg", "httpx", "fastapi", "cryptography"]),
        ("cli.demo.playing", ["fastapi", "reactions", "vault"]),
        ("cli.run.worker", ["fastapi"]),
    ],
)
def test_nothing_is_imported_that_makes_a_start_slow(module: str, unwanted: list[str]) -> None:
    ask = f"import sys, {module}; print([name for name in {unwanted} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
