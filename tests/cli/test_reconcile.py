"""`escrow reconcile` beside a running demo: what scripts can tell from it."""

import json
from collections.abc import Mapping

import pytest

from tests.escrow_command import run_escrow
from tests.running_demo import Demo

ACCOUNT = "account paystack:balance"


def reconcile(demo: Demo, *arguments: str) -> tuple[int, Mapping[str, object]]:
    done = demo.escrow("reconcile", "--json", *arguments)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def book(demo: Demo, movement: str) -> None:
    options = ["--currency", "ZAR", "--amount-minor", "7", "--evidence", ACCOUNT]
    assert demo.escrow("ledger", "record", movement, *options).returncode == 0


@pytest.mark.weakness("W6")
def test_the_demo_agrees_with_its_processor_and_a_difference_ends_with_3(demo: Demo) -> None:
    code, found = reconcile(demo)
    assert (code, found["differences"], found["counts"]) == (0, [], {})
    assert {"reconciliation_id", "position", "matched", "pending", "figures", "since", "until"} <= set(found)
    book(demo, "balance_short")
    code, found = reconcile(demo, "--dry-run")
    assert (code, found["counts"], found["reconciliation_id"]) == (3, {"balance": 1}, None)
    book(demo, "balance_over")
    assert demo.escrow("reconcile").returncode == 0


def test_a_processor_that_cannot_be_asked_ends_with_4(demo: Demo) -> None:
    closed = {"PAYSTACK_SECRET_KEY": "sk_test_0123456789", "PAYSTACK_BASE_URL": "http://127.0.0.1:9"}
    done = run_escrow(["reconcile", "--json"], {**demo.environment, **closed})
    assert (done.returncode, done.stdout) == (4, "")
    assert "gateway_unavailable: " in done.stderr


def test_wrong_windows_and_unknown_references_are_refused(demo: Demo) -> None:
    assert demo.escrow("reconcile", "--since", "2026-11-02", "--until", "2026-11-01").returncode == 2
    assert demo.escrow("reconcile", "--since", "yesterday").returncode == 2
    assert demo.escrow("reconcile", "--ask", "po-unheard-of").returncode == 5
