"""`escrow access`: who did what in a demo."""

import json

import httpx

from tests.running_demo import Demo
from tests.waiting import wait_until


def test_who_did_what_is_listed_and_filtered(demo: Demo) -> None:
    done = demo.escrow("access", "list", "--action", "reveal", "--json", "--limit", "100")
    assert done.returncode == 0, done.stderr
    shown = {(row["object_id"], row["outcome"]) for row in json.loads(done.stdout)["accesses"]}
    assert (demo.facts["transactions"]["completed"], "granted") in shown

    def signed_in() -> bool:
        by_buyer = ("access", "list", "--user", demo.facts["users"]["buyer"]["id"], "--action", "sign_in", "--json")
        rows = json.loads(demo.escrow(*by_buyer).stdout)["accesses"]
        return any(row["address"] == "127.0.0.1" for row in rows)

    wait_until(signed_in)
    assert "granted" in demo.escrow("access", "list", "--action", "reveal").stdout


def test_alerts_are_listed_and_what_does_not_exist_is_refused(demo: Demo) -> None:
    transaction, seller = demo.facts["transactions"]["contract_signed"], demo.facts["users"]["seller"]
    url = f"{demo.facts['base_url']}/api/v1/transactions/{transaction}/reveal"
    headers = {"Authorization": f"Bearer {seller['token']}", "Idempotency-Key": "not-his-to-see"}
    answer = httpx.post(url, json={"password": seller["password"]}, headers=headers, trust_env=False, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    alerts = json.loads(demo.escrow("access", "alerts", "--json").stdout)["security_alerts"]
    told = [(alert["kind"], alert["user_id"]) for alert in alerts if alert["transaction_id"] == transaction]
    assert told == [("foreign_reveal", seller["id"])]
    assert demo.escrow("access", "list", "--action", "unknown").returncode == 2
