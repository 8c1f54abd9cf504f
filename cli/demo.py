"""`escrow demo`: everything on one machine, without the internet.

Little is imported here, so that all can start at once: the processes that it starts import what they need while this
one starts the database.
"""

import json
import os
import secrets
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from cli.children import Children
from cli.letterbox import open_letterbox
from cli.paystack_sim import make_secret_file
from database.settings import Settings
from domain.errors import EscrowError
from domain.money import PAYABLE

HOST = "127.0.0.1"
CAPITAL_MINOR = 1_000_000_000
ELSEWHERE = ("DATABASE_URL", "SMTP_URL", "SMS_URL", "SMS_TOKEN")
"""What would lead out of this machine."""
FIRST_PORT, PORTS = 20_000, 10_000


class PortTaken(EscrowError):
    """Something else listens on this port; name another one, or 0 for any that is free."""

    code = "port_taken"


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where API and stand-in answer."""

    base_url: str
    paystack_url: str


def run_demo(port: int) -> None:
    """Start all, tell the story once, and keep everything running until Ctrl-C or SIGTERM. Raises PortTaken."""
    if port and not _is_free(port):
        raise PortTaken(port=port)
    for setting in ELSEWHERE:
        os.environ.pop(setting, None)
    signal.signal(signal.SIGTERM, _stop)
    home = Settings().escrow_home
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    addresses = Addresses(
        base_url=f"http://{HOST}:{port or _free_port()}", paystack_url=f"http://{HOST}:{find_stand_in_port(home)}"
    )
    # This process talks to the stand-in too, with the same key and address as the others.
    os.environ |= {
        "ESCROW_HOME": str(home),
        "PAYSTACK_SECRET_KEY": make_secret_file(home).read_text(),
        "PAYSTACK_BASE_URL": addresses.paystack_url,
    }
    with open_letterbox(home / "mail") as mail_url, Children(home / "log", os.environ) as children:
        _start_stand_in(home, children, addresses)
        _prepare_servers(children, addresses)
        from cli.playing import play

        play(Settings(), children, addresses, mail_url)


def _stop(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


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


def find_stand_in_port(home: Path) -> int:
    """Return the port of the last start while it is free: payment pages that were given out then open again."""
    file = home / "demo.json"
    if file.exists():
        port = int(json.loads(file.read_text())["paystack_url"].rpartition(":")[2])
        if _is_free(port):
            return port
    return _free_port()


def _free_port() -> int:
    """Return a port that nobody is given who asks the kernel for any: it is used only seconds later."""
    ports = (FIRST_PORT + secrets.randbelow(PORTS) for _ in range(PORTS))
    return next(port for port in ports if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the server does: what the last one left in TIME_WAIT is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
