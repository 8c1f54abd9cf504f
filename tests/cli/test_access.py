"""`escrow access`: who did what in a demo."""

import json

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
    alerts = json.loads(demo.escrow("access", "alerts", "--json").stdout)["security_alerts"]
    assert {alert["kind"] for alert in alerts} <= {"second_reveal", "foreign_reveal"}
    assert demo.escrow("access", "list", "--action", "unknown").returncode == 2
