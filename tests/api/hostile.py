"""The hostile corpus: what a case sends, and what every refusal has to look like."""

import json
from pathlib import Path
from typing import cast
from uuid import uuid4

import httpx
import yaml

from tests.api.running import WIRE, Installation

Case = dict[str, object]
CORPUS = cast("list[Case]", yaml.safe_load((Path(__file__).parent / "hostile.yaml").read_text(encoding="utf-8")))
VALID = {"title": "An account", "description": "Old.", "price": {"amount_minor": 1000, "currency": "KES"}}
CREATION = "POST /api/v1/listings"


def make_places(installation: Installation) -> dict[str, str]:
    """Something to be hostile to."""
    draft = installation.people["seller"].must("/api/v1/listings", VALID)["id"]
    return {"transaction": installation.open(), "listing": installation.list_account(), "draft": str(draft)}


def check_case(installation: Installation, places: dict[str, str], case: Case) -> None:
    written = installation.written()
    answer = send(installation, places, case)
    expected = case["status"]
    assert answer.status_code in (expected if isinstance(expected, list) else [expected]), answer.text
    assert answer.headers["X-Request-Id"]
    if answer.status_code >= 400:
        check_problem(answer, case)
        assert installation.written() == written


def send(installation: Installation, places: dict[str, str], case: Case) -> httpx.Response:
    person = installation.people[str(case.get("as", "seller"))]
    places = places | {"token": person.token}
    target = str(case.get("to", CREATION))
    if "to_repeat" in case:
        start, text, times = cast("tuple[str, str, int]", case["to_repeat"])
        target = start + text * times
    method, path = target.format(**places).split(" ", 1)
    headers = {"Authorization": f"Bearer {person.token}", "Idempotency-Key": str(uuid4())}
    content = body_of(case, method, places)
    if content is not None:
        headers["Content-Type"] = "application/json"
    headers |= cast("dict[str, str]", case.get("headers", {}))
    if "header_repeat" in case:
        name, text, times = cast("tuple[str, str, int]", case["header_repeat"])
        headers[name] = text * times
    for name in cast("list[str]", case.get("without", [])):
        headers.pop(name, None)
    url = httpx.URL(installation.base_url).copy_with(raw_path=path.encode())
    return WIRE.request(method, url, content=content, headers=headers)


def body_of(case: Case, method: str, places: dict[str, str]) -> bytes | None:
    if raw := {"raw_hex", "raw_repeat", "raw"} & case.keys():
        return raw_of(case, raw.pop())
    if "body_repeat" in case:
        name, text, times = cast("tuple[str, str, int]", case["body_repeat"])
        return json.dumps({name: text * times} | cast("Case", case.get("more", {}))).encode()
    if "body" in case:
        return json.dumps(case["body"]).replace("{listing}", places["listing"]).encode()
    if method in {"GET", "TRACE", "DELETE"}:
        return None
    return json.dumps(changed(case)).encode()


def raw_of(case: Case, kind: str) -> bytes:
    if kind == "raw_hex":
        return bytes.fromhex(str(case[kind]))
    if kind == "raw":
        return str(case[kind]).encode()
    start, text, times, end = cast("tuple[str, str, int, str]", case[kind])
    return (start + text * times + end).encode()


def changed(case: Case) -> dict[str, object]:
    body: dict[str, object] = {**VALID, "price": dict(VALID["price"])}
    for name, value in cast("Case", case.get("set", {})).items():
        if name in {"amount_minor", "currency"}:
            cast("Case", body["price"])[name] = value
        else:
            body[name] = value
    if "repeat" in case:
        name, text, times = cast("tuple[str, str, int]", case["repeat"])
        body[name] = text * times
    return body


def check_problem(answer: httpx.Response, case: Case) -> None:
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["type"] == f"urn:escrow:problem:{problem['code']}"
    assert {"title", "detail", "request_id"} <= problem.keys()
    if "code" in case:
        assert problem["code"] == case["code"]
    if "problem" in case:
        assert [error["problem"] for error in problem["errors"]] == [case["problem"]]
    if "allow" in case:
        assert answer.headers["Allow"] == case["allow"]
