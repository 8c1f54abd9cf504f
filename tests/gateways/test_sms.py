"""Short messages reach a real HTTP server, with a key that lets it recognise a repeat."""

import asyncio
import json
import stat
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import cast
from uuid import UUID

import pytest

from gateways.message import MessageError, MessageRefused, MessageUndelivered
from gateways.sms import Sms, sms_into_folder, sms_over_http
from tests.gateways.smtp import serving

SMS = Sms(id=UUID(int=5), at=datetime(2026, 11, 27, 6, tzinfo=UTC), phone="+254700000001", text="Your code is 123456")
TOKEN = "a token of the test".replace(" ", "-")


@dataclass
class Provider:
    """What it was told, and what it answers."""

    port: int
    status: int = 202
    told: list[tuple[dict[str, str], dict[str, str]]] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Keep what came."""
        provider = cast("Provider", getattr(self.server, "provider"))  # noqa: B009 - the library's server has no such field
        body = self.rfile.read(int(self.headers["Content-Length"]))
        provider.told.append((dict(self.headers), json.loads(body)))
        self.send_response(provider.status)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@contextmanager
def provider() -> Generator[Provider]:
    """Run one on this machine."""
    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        made = Provider(server.server_address[1])
        setattr(server, "provider", made)  # noqa: B010 - as above
        with serving(server):
            yield made


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Number, text and token go to the gateway that is configured, and to nobody else."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with provider() as server:
        asyncio.run(sms_over_http(f"http://127.0.0.1:{server.port}/send", TOKEN)(SMS))
        assert len(server.told) == 1


def test_the_gateway_is_told_number_text_and_a_key_for_repeats() -> None:
    with provider() as server:
        send = sms_over_http(f"http://127.0.0.1:{server.port}/send", TOKEN)
        asyncio.run(send(SMS))
        asyncio.run(send(SMS))
    (headers, body), second = server.told
    assert body == {"id": str(SMS.id), "to": SMS.phone, "text": SMS.text}
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Idempotency-Key"] == str(SMS.id) == second[0]["Idempotency-Key"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, MessageRefused),
        (422, MessageRefused),
        (401, MessageUndelivered),
        (429, MessageUndelivered),
        (302, MessageUndelivered),
        (503, MessageUndelivered),
    ],
)
def test_the_answer_decides_whether_another_try_makes_sense(status: int, error: type[MessageError]) -> None:
    with provider() as server:
        server.status = status
        with pytest.raises(error) as refused:
            asyncio.run(sms_over_http(f"http://127.0.0.1:{server.port}/", TOKEN)(SMS))
    assert SMS.phone not in str(refused.value)
    assert TOKEN not in str(refused.value)
    assert len(server.told) == 1


@pytest.mark.parametrize(
    ("status", "concerns_all"),
    [
        (401, True),
        (402, True),
        (403, True),
        (404, True),
        (429, True),
        (302, True),
        (503, True),
        (408, False),
        (409, False),
    ],
)
def test_an_answer_about_us_is_told_from_one_about_a_message(status: int, *, concerns_all: bool) -> None:
    """A token that was revoked, an empty account, an address that moved: no other message leaves either."""
    with provider() as server:
        server.status = status
        with pytest.raises(MessageUndelivered) as waiting:
            asyncio.run(sms_over_http(f"http://127.0.0.1:{server.port}/", TOKEN)(SMS))
    assert (waiting.value.reason, waiting.value.concerns_all) == (str(status), concerns_all)


def test_no_gateway_is_no_delivery() -> None:
    with pytest.raises(MessageUndelivered):
        asyncio.run(sms_over_http("http://127.0.0.1:1/", TOKEN)(SMS))


def test_the_stand_in_keeps_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    asyncio.run(sms_into_folder(tmp_path)(SMS))
    [kept] = tmp_path.iterdir()
    assert json.loads(kept.read_bytes())["text"] == SMS.text
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert SMS.phone not in repr(SMS)
