"""`escrow user`: keys are listed and ended, and a person is erased, in a demo."""

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import psycopg

from identity.api_key import NewKey, Scope, create_key
from tests.running_demo import Demo
from tests.waiting import wait_until

WRONG_USAGE, UNKNOWN, REFUSED = 2, 5, 9


def make_person(demo: Demo, tmp_path: Path) -> tuple[str, UUID]:
    """A buyer who has done nothing yet."""
    email = f"somebody-{uuid4().hex[:12]}@example.com"
    password = tmp_path / "password"
    password.write_text("correct horse battery staple\n")
    done = demo.escrow(
        *("user", "create", "--email", email, "--name", "Somebody", "--role", "buyer"),
        *("--password-file", str(password), "--json"),
    )
    assert done.returncode == 0, done.stderr
    return email, UUID(json.loads(done.stdout)["id"])


def make_key(demo: Demo, user_id: UUID, name: str) -> str:
    """An API key of somebody: over HTTP it would want a mailed code."""

    async def make() -> str:
        dsn = demo.escrow("dsn", "--role", "app").stdout.strip()
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            new = NewKey(name=name, mode="test", scopes=frozenset({Scope.READ}), lasts=timedelta(days=1))
            _, text = await create_key(connection, user_id, new, at=datetime.now(UTC), random_bytes=os.urandom)
            return text

    return asyncio.run(make())


def keys_of(demo: Demo, email: str, *words: str) -> list[dict[str, str]]:
    done = demo.escrow("user", "keys", "--email", email, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["keys"]


def may_read(demo: Demo, key: str) -> bool:
    answer = httpx.get(
        f"{demo.facts['base_url']}/api/v1/catalog", headers={"Authorization": f"Bearer {key}"}, trust_env=False
    )
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


def test_a_role_that_needs_a_second_factor_says_when_there_is_none(demo: Demo, tmp_path: Path) -> None:
    email, _ = make_person(demo, tmp_path)
    given = demo.escrow("user", "roles", "--email", email, "--role", "admin", "--json")
    assert (given.returncode, "escrow user second-factor" in given.stderr) == (0, True), given.stderr
    assert demo.escrow("user", "second-factor", "--email", email).returncode == 0
    again = demo.escrow("user", "roles", "--email", email, "--role", "admin", "--role", "auditor", "--json")
    assert (again.returncode, "second-factor" in again.stderr) == (0, False), again.stderr


def test_keys_are_listed_and_ended_one_by_one_and_all_together(demo: Demo, tmp_path: Path) -> None:
    email, user_id = make_person(demo, tmp_path)
    assert keys_of(demo, email) == []
    keys = {name: make_key(demo, user_id, name) for name in ("till", "shop", "stock")}
    listed = {row["name"]: row for row in keys_of(demo, email)}
    assert {name: row["ends_in"] for name, row in listed.items()} == {name: key[-4:] for name, key in keys.items()}
    assert not any(key in str(listed) for key in keys.values())
    till = listed["till"]["id"]
    assert {row["name"] for row in keys_of(demo, email, "--revoke", till)} == {"shop", "stock"}
    wait_until(lambda: not may_read(demo, keys["till"]))
    assert may_read(demo, keys["shop"])
    again = demo.escrow("user", "keys", "--email", email, "--revoke", till)
    assert (again.returncode, again.stdout) == (UNKNOWN, "")
    assert {row["name"] for row in keys_of(demo, email, "--revoke-all", "--dry-run")} == {"shop", "stock"}
    assert demo.escrow("user", "keys", "--email", email, "--revoke-all").returncode == REFUSED
    assert may_read(demo, keys["stock"])
    assert keys_of(demo, email, "--revoke-all", "--yes") == []
    wait_until(lambda: not may_read(demo, keys["stock"]))


def test_keys_of_nobody_and_of_somebody_else_are_not_found(demo: Demo, tmp_path: Path) -> None:
    _, owner = make_person(demo, tmp_path)
    other, _ = make_person(demo, tmp_path)
    key = make_key(demo, owner, "till")
    for words in (
        ("--email", "nobody@example.com"),
        ("--email", other, "--revoke", str(uuid4())),
        ("--email", other, "--revoke", "no id"),
    ):
        assert demo.escrow("user", "keys", *words).returncode == UNKNOWN
    assert may_read(demo, key)


def test_somebody_is_erased_once_and_then_found_by_id_alone(demo: Demo, tmp_path: Path) -> None:
    email, user_id = make_person(demo, tmp_path)
    tried = demo.escrow("user", "erase", "--email", email, "--dry-run", "--json")
    assert json.loads(tried.stdout) == {
        "user_id": str(user_id),
        "state": "possible",
        "possible_at": None,
        "open": [],
        "dry_run": True,
    }
    assert keys_of(demo, email) == []
    assert demo.escrow("user", "erase", "--email", email).returncode == REFUSED, "nobody said yes"
    done = demo.escrow("user", "erase", "--email", email, "--yes", "--json")
    assert (done.returncode, json.loads(done.stdout)["state"]) == (0, "erased")
    assert demo.escrow("user", "erase", "--email", email, "--yes").returncode == UNKNOWN
    again = demo.escrow("user", "erase", "--id", str(user_id), "--yes", "--json")
    assert (again.returncode, json.loads(again.stdout)["state"]) == (0, "erased")
    assert demo.escrow("replay", "verify").returncode == 0


def test_whoever_has_a_sale_open_is_not_erased_and_told_why(demo: Demo) -> None:
    seller = demo.facts["users"]["seller"]
    done = demo.escrow("user", "erase", "--id", seller["id"], "--dry-run", "--json")
    assert done.returncode == 9
    told = json.loads(done.stdout)
    assert (told["state"], told["dry_run"]) == ("waiting", True)
    assert {matter["kind"] for matter in told["open"]} >= {"transaction"}
    for nobody in (("--id", str(uuid4())), ("--id", "no id"), ("--email", "nobody@example.com")):
        assert demo.escrow("user", "erase", *nobody, "--yes").returncode == UNKNOWN
    assert demo.escrow("user", "erase", "--yes").returncode == WRONG_USAGE


def test_two_names_for_whoever_is_to_be_erased_are_refused_and_nobody_is(demo: Demo, tmp_path: Path) -> None:
    email, _ = make_person(demo, tmp_path)
    _, other = make_person(demo, tmp_path)
    done = demo.escrow("user", "erase", "--email", email, "--id", str(other), "--yes")
    assert (done.returncode, done.stdout) == (WRONG_USAGE, "")
    assert "person_unclear" in done.stderr
    tried = demo.escrow("user", "erase", "--id", str(other), "--dry-run", "--json")
    assert json.loads(tried.stdout)["state"] == "possible"
