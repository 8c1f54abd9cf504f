"""With `--json` a program reads one object from stdout and nothing else; people read stderr."""

import json
from datetime import datetime
from uuid import UUID

import httpx
import pytest

from cli.demo.stuck import AGO
from cli.output import print_json
from tests.running_demo import Demo

READING = [
    ["tx", "list"],
    ["tx", "list", "--stuck"],
    ["events", "--limit", "5"],
    ["events", "--after", "0", "--limit", "1"],
    ["ledger", "trial-balance"],
    ["ledger", "entries", "escrow:held", "--currency", "KES"],
    ["doctor"],
    ["migrate", "--dry-run"],
    ["replay", "verify"],
    ["replay", "diff", "-p", "ledger"],
]


def test_json_does_nothing_to_the_terminal_and_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """Old events may hold what is refused at the door by now: a terminal takes U+009B for the begin of an order."""
    value = {"note": "a\x9b2Jb\x7f\u202ec\ud800\n\U000e0001 😀 é", "rows": [1, None]}
    print_json(value)
    printed = capsys.readouterr().out
    assert all(line.isprintable() for line in printed.splitlines())
    assert "😀 é" in printed
    assert json.loads(printed) == value


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_json_is_one_object_on_stdout(words: list[str], demo: Demo) -> None:
    done = demo.escrow(*words, "--json")
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout), dict)


@pytest.mark.parametrize("words", [["tx", "list"], ["ledger", "trial-balance"], ["doctor"]], ids=" ".join)
def test_without_json_people_read_text(words: list[str], demo: Demo) -> None:
    done = demo.escrow(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert done.stdout.lstrip()[0] not in "{["
    assert "Traceback" not in done.stderr


def test_a_transaction_is_shown_with_all_that_belongs_to_it(demo: Demo) -> None:
    failed = demo.facts["transactions"]["payout_failed"]
    shown = json.loads(demo.escrow("tx", "show", failed, "--json").stdout)
    assert set(shown) == {"transaction", "payouts", "refunds", "disputes", "notes", "events"}
    assert UUID(shown["transaction"]["id"]) == UUID(failed)
    assert isinstance(shown["transaction"]["amount_minor"], int)
    assert [event["version"] for event in shown["events"]] == list(range(1, len(shown["events"]) + 1))


def test_the_stuck_transaction_is_listed_with_the_reason(demo: Demo) -> None:
    rows = json.loads(demo.escrow("tx", "list", "--stuck", "--json").stdout)["transactions"]
    row = next(row for row in rows if row["id"] == demo.facts["transactions"]["stuck"])
    assert row["stuck_reason"]
    assert (
        datetime.now(datetime.fromisoformat(row["created_at"]).tzinfo) - datetime.fromisoformat(row["created_at"]) > AGO
    )


def test_the_same_transactions_are_stuck_for_the_command_and_for_the_api(demo: Demo) -> None:
    listed = {row["id"] for row in json.loads(demo.escrow("tx", "list", "--stuck", "--json").stdout)["transactions"]}
    assert demo.facts["transactions"]["payout_failed"] in listed
    headers = {"Authorization": f"Bearer {demo.facts['users']['admin']['token']}"}
    path = f"{demo.facts['base_url']}/api/v1/admin/transactions?stuck=true&limit=100"
    shown = httpx.get(path, headers=headers, trust_env=False).json()["items"]
    assert listed == {item["id"] for item in shown}


def test_the_books_are_sound(demo: Demo) -> None:
    books = json.loads(demo.escrow("ledger", "trial-balance", "--json").stdout)
    assert books["sound"] is True
    assert set(books["sums_minor"].values()) == {0}


def test_the_same_evidence_is_recorded_once(demo: Demo) -> None:
    words = ("ledger", "record", "capital_paid_in", "--currency", "GHS", "--amount-minor", "7", "--evidence", "slip 7")
    first, second = (json.loads(demo.escrow(*words, "--json").stdout) for _ in range(2))
    assert first.pop("recorded_already") is False
    assert second.pop("recorded_already") is True
    assert first == second


def test_evidence_that_nobody_can_see_is_refused(demo: Demo) -> None:
    words = ("ledger", "record", "capital_paid_in", "--currency", "GHS", "--amount-minor", "7", "--evidence", " ")
    done = demo.escrow(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "evidence_missing" in done.stderr


def test_what_a_command_logs_does_not_stand_in_its_answer(demo: Demo) -> None:
    window = (
        "--since",
        "2020-01-01T00:00:00Z",
        "--until",
        "2020-01-01T00:01:00Z",
        "--reason",
        "Before all of this",
    )
    done = demo.escrow("outage", *window, "--json")
    assert json.loads(done.stdout)["extended"] == 0
    assert "outage_made_up" in done.stderr


def test_dsn_prints_the_auditor_unless_told_otherwise(demo: Demo) -> None:
    dsn: dict[str, str] = demo.facts["dsn"]
    assert demo.escrow("dsn").stdout.strip() == dsn["auditor"]
    for role, address in dsn.items():
        assert demo.escrow("dsn", "--role", role).stdout.strip() == address


def test_a_rebuild_that_is_only_tried_changes_nothing_and_asks_nothing(demo: Demo) -> None:
    done = demo.escrow("replay", "rebuild", "-p", "listings", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout), dict)
