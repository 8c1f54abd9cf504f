"""What the demo prints when it is ready: addresses, logins, and three things to try."""

from pathlib import Path
from typing import cast

from cli.demo.person import JsonObject, part
from cli.home import DEMO_FILE

TRY = """
Three things to try, in another terminal:

  1. Look at the money, and prove that the tables are what the log says:
       psql "$(.venv/bin/escrow dsn)" -c "SELECT id, state, amount_usd, stuck_reason FROM transactions"
       .venv/bin/escrow replay verify

  2. Damage a table, see it named, and mend it:
       psql "$(.venv/bin/escrow dsn --role owner)" -c "UPDATE transactions SET held_minor = 1"
       .venv/bin/escrow replay verify ; .venv/bin/escrow replay rebuild --yes

  3. Pay out again what the processor failed to pay, as the runbook says:
       curl -s -X POST {base_url}/api/v1/admin/transactions/{payout_failed}/release \\
         -H "Authorization: Bearer {token}" -H "Content-Type: application/json" \\
         -d '{{"reason": "Paystack failed the transfer; the recipient was checked"}}'
"""


def welcome(home: Path, facts: JsonObject, mail_url: str) -> str:
    """Return the text; passwords and tokens stand in demo.json, readable by its owner."""
    users, transactions = part(facts, "users"), part(facts, "transactions")
    lines = [
        "",
        f"API         {facts['base_url']}/api/v1/openapi.json",
        f"Paystack    {facts['paystack_url']} (stand-in)",
        f"Mail, SMS   {mail_url}",
        f"Everything  {home / DEMO_FILE}",
        "",
        *(f"  {name:14} {part(users, name)['email']:28} password {part(users, name)['password']}" for name in users),
        "",
        *(f"  {phase:22} {transaction_id}" for phase, transaction_id in transactions.items()),
    ]
    token = cast("str", part(users, "super_admin")["token"])
    shown = TRY.format(base_url=facts["base_url"], payout_failed=transactions["payout_failed"], token=token)
    return "\n".join(lines) + shown + "\nCtrl-C stops everything and keeps the data."
