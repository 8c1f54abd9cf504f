"""The demo: what it promises to write, that it carries on, and that nothing is left of it."""

import json
import os
import signal
import socket
import stat
from collections.abc import Callable, Generator
from pathlib import Path

import httpx
import psycopg
import pytest

from cli.demo.children import ChildFailed, Children
from cli.demo.keeping import Story
from domain.transaction.phase import Phase
from tests.escrow_command import environment_of, run_escrow
from tests.home import own_home
from tests.running_demo import Demo, begin_demo, list_processes_of, start_demo, stop_demo, wait_for_demo
from tests.waiting import wait_until

USERS = {"buyer", "seller", "admin", "super_admin", "super_admin_2", "auditor"}
TOLD = {"pending", "funds_held", "contract_signed", "credentials_released", "completed", "refunded", "disputed"}
GONE_SECONDS = 30.0


@pytest.fixture
def home() -> Generator[Path]:
    """A home for a demo that the test stops or kills itself."""
    with own_home("escrow-demo-") as made:
        yield made
        for process in list_processes_of(made):
            os.kill(process, signal.SIGKILL)


def test_demo_json_has_exactly_the_promised_shape(demo: Demo) -> None:
    facts = demo.facts
    assert set(facts) == {"base_url", "paystack_url", "dsn", "users", "transactions"}
    assert set(facts["dsn"]) == {"owner", "app", "auditor"}
    assert set(facts["users"]) == USERS
    for user in facts["users"].values():
        assert set(user) == {"id", "email", "password", "totp_secret", "token"}
        assert all(isinstance(value, str) and value for value in user.values())
    assert set(facts["transactions"]) >= TOLD
    assert set(facts["transactions"]) <= {phase.value for phase in Phase} | {"stuck"}


def test_demo_json_is_readable_by_its_owner_alone(demo: Demo) -> None:
    for name in ("demo.json", "people.json", "paystack-key", "pepper"):
        assert stat.S_IMODE((demo.home / name).stat().st_mode) == 0o600, name


def test_every_address_of_demo_json_answers(demo: Demo) -> None:
    for dsn in demo.facts["dsn"].values():
        with psycopg.connect(dsn) as connection:
            assert connection.execute("SELECT count(*) > 0 FROM transactions").fetchone() == (True,)
    for user in demo.facts["users"].values():
        headers = {"Authorization": f"Bearer {user['token']}"}
        answer = httpx.get(f"{demo.facts['base_url']}/api/v1/auth/me", headers=headers, trust_env=False)
        assert answer.json()["id"] == user["id"]


def count_sessions(demo: Demo) -> int:
    """How many times anybody has signed in."""
    with psycopg.connect(demo.facts["dsn"]["owner"]) as connection:
        return connection.execute("SELECT count(*) FROM sessions").fetchone()[0]


def ask_for_own_sessions(demo: Demo) -> int:
    """The status that the buyer is answered with."""
    headers = {"Authorization": f"Bearer {demo.facts['users']['buyer']['token']}"}
    return httpx.get(f"{demo.facts['base_url']}/api/v1/auth/sessions", headers=headers, trust_env=False).status_code


def test_every_payout_of_the_story_was_approved_by_the_api(demo: Demo) -> None:
    panel = f"{demo.facts['paystack_url']}/_sim"
    deliveries = httpx.get(f"{panel}/webhooks", trust_env=False).json()["webhooks"]
    event = "transferrequest.approval-required"
    approved = {row["reference"] for row in deliveries if row["event"] == event and row["state"] == "approved"}
    told = {f"escrow {transaction}" for transaction in demo.facts["transactions"].values()}
    transfers = httpx.get(f"{panel}/objects", trust_env=False).json()["transfers"]
    paid = {row["reference"] for row in transfers if row["status"] == "success" and row["reason"] in told}
    assert paid
    assert paid <= approved


def test_a_port_that_is_taken_is_said_in_a_sentence(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        refused = run_escrow(["demo", "--port", str(other.getsockname()[1])], environment_of(home))
    assert refused.returncode == 4
    assert refused.stderr.startswith("port_taken: ")
    assert list(home.iterdir()) == []


def test_what_was_started_and_ended_is_said_in_a_sentence(tmp_path: Path) -> None:
    with Children(tmp_path, os.environ) as children:
        children.start("worker", ["cli.standby", "nothing"], waits=True).wait()
        with pytest.raises(ChildFailed) as failure:
            children.check()
    assert failure.value.facts["exit_code"] == 1
    assert str(failure.value.facts["said"]).endswith("KeyError: 'nothing'")


def interrupt_when(home: Path, happens: Callable[[], bool]) -> None:
    """Start it, and stop it as soon as something is so."""
    demo = begin_demo(home)
    wait_for_demo(demo, happens)
    assert stop_demo(demo) == 128 + signal.SIGTERM
    wait_until(lambda: not list_processes_of(home), seconds=GONE_SECONDS)


def test_a_second_start_carries_on_and_nothing_is_left_of_either(home: Path) -> None:
    """One test for the life of a home: interrupted twice while it is new, started, stopped, started again, killed."""
    interrupt_when(home, (home / "people.json").exists)
    interrupt_when(home, lambda: len(Story.read(home).told) > 2)
    told_before = Story.read(home).told
    assert not (home / "demo.json").exists()

    first = start_demo(home)
    told, sessions = first.facts, count_sessions(first)
    assert told["transactions"].items() >= told_before.items()
    assert set(told["transactions"]) >= TOLD
    assert len(list_processes_of(home)) > 4
    assert stop_demo(first) == 128 + signal.SIGTERM
    wait_until(lambda: not list_processes_of(home), seconds=GONE_SECONDS)

    second = start_demo(home)
    assert second.facts["transactions"] == told["transactions"]
    assert {name: user["id"] for name, user in second.facts["users"].items()} == {
        name: user["id"] for name, user in told["users"].items()
    }
    assert count_sessions(second) == sessions, "six passwords take a second to check: sessions are resumed"
    assert second.escrow("replay", "verify").returncode == 0

    assert ask_for_own_sessions(second) == 200
    ended = json.loads(second.escrow("restored", "--json").stdout)
    assert ended["sessions"] == sessions, "whoever is signed in"
    wait_until(lambda: ask_for_own_sessions(second) == 401)

    second.process.kill()
    wait_until(lambda: not list_processes_of(home), seconds=GONE_SECONDS)
