"""`escrow webhooks`: what came, what became of it, and working it off again without any effect twice."""

import json
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest

from gateways.paystack.secret import SecretKey
from gateways.paystack.webhook import SIGNATURE_HEADER, signature
from tests.running_demo import Demo
from tests.waiting import wait_until

PATH = "/api/v1/webhooks/paystack"


def read(demo: Demo, *words: str) -> dict:
    done = demo.escrow("webhooks", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def deliver(demo: Demo, event: str, reference: str, *, forged: bool = False, **data: object) -> None:
    raw = json.dumps({"event": event, "data": {"reference": reference, "nonce": str(uuid4()), **data}}).encode()
    secret = SecretKey((Path(demo.home) / "paystack-key").read_text().strip())
    sign = "0" * 128 if forged else signature(secret, raw)
    answer = httpx.post(
        f"{demo.facts['base_url']}{PATH}", content=raw, headers={SIGNATURE_HEADER: sign}, trust_env=False
    )
    assert answer.status_code == (401 if forged else 200), answer.text


def find(demo: Demo, reference: str) -> dict:
    return next(row for row in read(demo, "list", "--limit", "1000")["webhooks"] if row["reference"] == reference)


def paid_charge(demo: Demo) -> tuple[str, str]:
    """A completed transaction and the reference of its charge."""
    transaction = demo.facts["transactions"]["completed"]
    with psycopg.connect(demo.facts["dsn"]["app"]) as connection:
        row = connection.execute(
            "SELECT reference FROM payment_links WHERE transaction_id = %s", (transaction,)
        ).fetchone()
    assert row is not None
    return transaction, row[0]


def test_the_list_says_what_became_of_each(demo: Demo) -> None:
    reference = f"nobodys-{uuid4()}"
    deliver(demo, "charge.success", reference)
    wait_until(lambda: find(demo, reference)["outcome"] == "unmatched")
    row = find(demo, reference)
    assert (row["event"], row["deliveries"]) == ("charge.success", 1)
    assert read(demo, "list", "--outcome", "unmatched", "--limit", "1")["webhooks"] == [row]
    assert read(demo, "list", "--before", str(row["id"]), "--limit", "1")["webhooks"][0]["id"] < row["id"]
    assert read(demo, "list", "--since", "2999-01-01T00:00:00Z")["webhooks"] == []
    assert demo.escrow("webhooks", "list", "--outcome", "lost").returncode == 2


def test_a_delivery_is_shown_without_anything_about_people(demo: Demo) -> None:
    reference = f"nobodys-{uuid4()}"
    deliver(demo, "charge.success", reference, customer={"email": "ada@example.com"}, amount=5)
    shown = demo.escrow("webhooks", "show", str(find(demo, reference)["id"]))
    assert shown.returncode == 0, shown.stderr
    assert reference in shown.stdout
    assert '"amount": 5' in shown.stdout
    assert "ada@example.com" not in shown.stdout
    assert demo.escrow("webhooks", "show", "999999999").returncode == 5


def test_working_off_again_applies_nothing_twice(demo: Demo) -> None:
    transaction, reference = paid_charge(demo)
    deliver(demo, "charge.success", reference)
    wait_until(lambda: find(demo, reference)["outcome"] == "applied")
    before = demo.escrow("ledger", "statement", "--transaction", transaction, "--json").stdout
    delivery = find(demo, reference)
    done = read(demo, "replay", str(delivery["id"]), "--yes")
    assert done["replayed"] == [delivery["id"]]
    wait_until(lambda: find(demo, reference)["processed_at"] not in {None, delivery["processed_at"]})
    assert find(demo, reference)["outcome"] == "applied"
    after = demo.escrow("ledger", "statement", "--transaction", transaction, "--json").stdout
    assert json.loads(after)["lines"] == json.loads(before)["lines"]
    assert demo.escrow("replay", "verify").returncode == 0


def test_everything_unmatched_can_be_tried_dry_and_asks_first(demo: Demo) -> None:
    reference = f"nobodys-{uuid4()}"
    deliver(demo, "transfer.success", reference)
    wait_until(lambda: find(demo, reference)["outcome"] == "unmatched")
    row = find(demo, reference)
    planned = read(demo, "replay", "--unmatched", "--dry-run")
    assert planned["replayed"] == []
    assert row["id"] in {each["id"] for each in planned["webhooks"]}
    assert demo.escrow("webhooks", "replay", "--unmatched").returncode != 0
    assert find(demo, reference) == row
    assert row["id"] in read(demo, "replay", "--unmatched", "--yes")["replayed"]
    wait_until(lambda: find(demo, reference)["processed_at"] not in {None, row["processed_at"]})


@pytest.mark.parametrize("words", [(), ("1", "--unmatched"), ("0",)])
def test_what_to_work_off_again_has_to_be_said(demo: Demo, words: tuple[str, ...]) -> None:
    assert demo.escrow("webhooks", "replay", *words).returncode == 2


def test_wrong_signatures_are_counted_and_leave_no_body(demo: Demo) -> None:
    before = sum(row["refused"] for row in read(demo, "refused")["refused"])
    reference = f"forged-{uuid4()}"
    deliver(demo, "charge.success", reference, forged=True)
    wait_until(lambda: sum(row["refused"] for row in read(demo, "refused")["refused"]) > before)
    assert reference not in str(read(demo, "list", "--limit", "1000"))
