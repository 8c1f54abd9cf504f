"""Where the demo is played: its addresses, and the money that it begins with."""

import json
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from cli.errors import NotReady
from cli.home import DEMO_FILE

HOST = "127.0.0.1"
CAPITAL_MINOR = 1_000_000_000
"""Of each currency that can be paid out, at the stand-in and in the books."""
FIRST_PORT, PORTS = 20_000, 10_000


class PortTaken(NotReady):
    """Something else listens on this port; name another one, or 0 for any that is free."""

    code = "port_taken"


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where API and stand-in answer."""

    base_url: str
    paystack_url: str


def require_free(port: int) -> None:
    """Raise PortTaken unless the demo can listen there; 0 is any port."""
    if port and not _is_free(port):
        raise PortTaken(port=port)


def find_addresses(home: Path, port: int) -> Addresses:
    """Return the API's address at `port`, any free one for 0, and the stand-in's."""
    return Addresses(
        base_url=f"http://{HOST}:{port or _free_port()}", paystack_url=f"http://{HOST}:{find_stand_in_port(home)}"
    )


def find_stand_in_port(home: Path) -> int:
    """Return the port of the last start while it is free: payment pages that were given out then open again."""
    file = home / DEMO_FILE
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
