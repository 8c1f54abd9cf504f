"""Receiving a file: however slowly it comes or is written, there is an end, and an answer."""

import asyncio
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.types import Message, Scope

from api.errors import BodyTooSlow
from api.files.upload import receive_file
from gateways.objects import Draft, Folder
from tests.api.samples import SAMPLES

FORM = b'--line\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + SAMPLES["image/png"]
SCOPE: Scope = {"type": "http", "headers": [(b"content-type", b"multipart/form-data; boundary=line")]}


def receive(http: Request, folder: Path) -> None:
    async def receiving() -> None:
        async with Folder(folder).draft() as draft:
            await receive_file(http, draft)

    asyncio.run(receiving())


def test_a_disk_that_hangs_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def hang(draft: Draft, data: bytes) -> None:
        await asyncio.Event().wait()

    async def give() -> Message:
        return {"type": "http.request", "body": FORM, "more_body": True}

    monkeypatch.setattr(Draft, "write", hang)
    monkeypatch.setattr("api.files.upload.LONGEST_SECONDS", 0.05)
    with pytest.raises(BodyTooSlow):
        receive(Request(SCOPE, give), tmp_path)


def test_a_body_that_stops_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def give() -> Message:
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    monkeypatch.setattr("api.files.upload.SLOWEST_SECONDS", 0.05)
    with pytest.raises(BodyTooSlow):
        receive(Request(SCOPE, give), tmp_path)
