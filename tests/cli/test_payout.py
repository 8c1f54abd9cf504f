"""`escrow payout`: a payout that waits for a one-time password, finished from the command line."""

import asyncio
import json
import subprocess
from typing import cast

import httpx

from cli.demo.person import JsonObject, Person
from cli.demo.story import Players, confirm
from tests.escrow_command import ROOT, command
from tests.running_demo import Demo

OTP = "739164"
REASON = ("--reason", "the code came by text message")

KNOWN = ("id", "email", "password", "totp_secret")


def typed(demo: Demo, *words: str, otp: str = OTP) -> subprocess.CompletedProcess[str]:
    """Run `escrow payout` with the password on standard input."""
    return subprocess.run(
        [*command(), "payout", *words],
        env=demo.environment,
        cwd=ROOT,
        input=otp + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


async def wait_for_otp(demo: Demo) -> str:
    """A new sale in the demo whose payout waits for a one-time password."""
    facts = demo.facts
    users = cast("dict[str, dict[str, str]]", facts["users"])
    async with (
        httpx.AsyncClient(base_url=str(facts["base_url"]), trust_env=False, timeout=30) as client,
        httpx.AsyncClient(base_url=str(facts["paystack_url"]), trust_env=False, timeout=30) as panel,
    ):
        people = {name: Person(client, *(facts[each] for each in KNOWN)) for name, facts in users.items()}
        for name, person in people.items():
            person.token = users[name]["token"]
        # No webhook tells of a password: one that is wanted only after the approval is found by the next poll.
        asked = (await panel.get("/_sim/settings")).json()["approval_url"]
        await panel.post("/_sim/settings", json={"approval_url": None})
        await panel.post("/_sim/faults", json={"endpoint": "transfer", "kind": "otp"})
        players = Players(buyer=people["buyer"], seller=people["seller"], admin=people["admin"], panel=panel)
        transaction = await confirm(players, "An account that is paid with a code")
        await players.buyer.wait_for(transaction, waits)
        await panel.post("/_sim/settings", json={"approval_url": asked})
        return transaction


def waits(view: JsonObject) -> bool:
    return view["stuck_reason"] == "payout_otp"


def test_a_payout_is_finished_with_the_password_that_is_typed(demo: Demo) -> None:
    transaction = asyncio.run(wait_for_otp(demo))
    assert typed(demo, "finalize", transaction, *REASON, otp="no code").returncode == 2
    wrong = typed(demo, "finalize", transaction, *REASON, "--otp", otp="73916")
    assert (wrong.returncode, "otp_wrong" in wrong.stderr) == (2, True), wrong.stderr
    assert typed(demo, "resend-otp", transaction).returncode == 0

    done = typed(demo, "finalize", transaction, *REASON, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"id": transaction, "state": "completed", "stuck_reason": None}
    again = typed(demo, "finalize", transaction, *REASON, "--json")
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert OTP not in demo.escrow("events", "--stream", transaction, "--json").stdout
    for log in (demo.home / "log").iterdir():
        assert OTP not in log.read_text(errors="replace"), log
    assert demo.escrow("replay", "verify").returncode == 0
