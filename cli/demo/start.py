"""`escrow demo`: everything on one machine, without the internet.

Little is imported here, so that all can start at once: the processes that it starts import what they need while this
one starts the database.
"""

import os
import signal
import sys
from pathlib import Path

from cli.demo.children import Children
from cli.demo.stage import CAPITAL_MINOR, HOST, Addresses, find_addresses, require_free
from cli.home import make_secret_file
from database.settings import Settings
from domain.money import PAYABLE

ELSEWHERE = ("DATABASE_URL", "SMTP_URL", "SMS_URL", "SMS_TOKEN")
"""What would lead out of this machine."""


def run_demo(port: int) -> None:
    """Start all, tell the story once, and keep everything running until Ctrl-C or SIGTERM. Raises PortTaken."""
    require_free(port)
    for setting in ELSEWHERE:
        os.environ.pop(setting, None)
    signal.signal(signal.SIGTERM, _stop)
    home = Settings().escrow_home
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    addresses = find_addresses(home, port)
    # This process talks to the stand-in too, with the same key and address as the others.
    os.environ |= {
        "ESCROW_HOME": str(home),
        "PAYSTACK_SECRET_KEY": make_secret_file(home).read_text(),
        "PAYSTACK_BASE_URL": addresses.paystack_url,
    }
    with Children(home / "log", os.environ) as children:
        _start_stand_in(home, children, addresses)
        _prepare_servers(children, addresses)
        from cli.demo.playing import play

        play(Settings(), children, addresses)


def _stop(_number: int, _frame: object) -> None:
    sys.exit(128 + signal.SIGTERM)  # through every `finally`: nothing is left behind


def _start_stand_in(home: Path, children: Children, addresses: Addresses) -> None:
    """Start the stand-in Paystack; it says one line when it answers."""
    arguments = ["paystack-sim", "--secret-file", str(make_secret_file(home))]
    arguments += ["--port", addresses.paystack_url.rpartition(":")[2], "--state-file", str(home / "paystack.json")]
    webhooks = f"{addresses.base_url}/api/v1/webhooks/paystack"
    arguments += ["--webhook-url", webhooks, "--approval-url", f"{webhooks}/approval"]
    for currency in sorted(PAYABLE):
        arguments += ["--balance", f"{currency}={CAPITAL_MINOR}"]
    children.start("paystack", ["cli.main", *arguments], reads_output=True)


def _prepare_servers(children: Children, addresses: Addresses) -> None:
    """Have the API and the worker ready to begin: there is no database yet."""
    port = addresses.base_url.rpartition(":")[2]
    children.start("api", ["cli.standby", "serve", "--host", HOST, "--port", port], waits=True)
    children.start("worker", ["cli.standby", "worker"], waits=True)
