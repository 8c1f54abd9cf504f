"""Payment pages that were given out still open after a restart of the demo."""

import json
import socket
from pathlib import Path

from cli.demo.stage import find_stand_in_port

HOST = "127.0.0.1"


def _remember(home: Path, port: int) -> None:
    (home / "demo.json").write_text(json.dumps({"paystack_url": f"http://{HOST}:{port}"}))


def _some_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def test_the_stand_in_comes_back_where_it_was(tmp_path: Path) -> None:
    port = _some_port()
    _remember(tmp_path, port)
    assert find_stand_in_port(tmp_path) == port


def test_the_stand_in_goes_elsewhere_when_its_place_is_taken(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        holder.listen()
        taken = int(holder.getsockname()[1])
        _remember(tmp_path, taken)
        assert find_stand_in_port(tmp_path) not in {0, taken}


def test_the_first_start_takes_any_free_place(tmp_path: Path) -> None:
    assert find_stand_in_port(tmp_path) > 0
