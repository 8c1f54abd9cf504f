"""The hostile corpus over httpx, and what httpx refuses to send over raw sockets: no 5xx, no echo, no event."""

import json
from pathlib import Path
from typing import cast
from uuid import uuid4

import httpx
import pytest
import yaml

from api.http.front_door import SENT_ONCE
from tests.api.running import WIRE, Installation
from tests.raw_http import dial, exchange

Case = dict[str, object]
CORPUS = cast("list[Case]", yaml.safe_load((Path(__file__).parent / "hostile.yaml").read_text(encoding="utf-8")))
VALID = {"title": "An account", "description": "Old.", "price": {"amount_minor": 1000, "currency": "KES"}}
CREATION = "POST /api/v1/listings"
MARK = "canary-7f3a"


@pytest.fixture(scope="module")
def places(installation: Installation) -> dict[str, str]:
    """Something to be hostile to."""
    draft = installation.people["seller"].must("/api/v1/listings", VALID)["id"]
    return {"transaction": installation.open(), "listing": installation.list_account(), "draft": str(draft)}


@pytest.mark.guarantee(
    "G5",
    "G21",
    faults="the hostile corpus: numbers, texts, shapes, headers, addresses",
    runs="every line of hostile.yaml",
)
@pytest.mark.parametrize("case", CORPUS, ids=[str(case["id"]) for case in CORPUS])
def test_hostile_input_is_refused(installation: Installation, places: dict[str, str], case: Case) -> None:
    check_case(installation, places, case)


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


@pytest.mark.weakness("W31")
def test_a_refusal_echoes_nothing(installation: Installation) -> None:
    seller = installation.people["seller"]
    answers = [
        seller.post("/api/v1/listings", {MARK: 1}),
        seller.post("/api/v1/listings", {"title": [MARK], "description": "d", "price": {"amount_minor": MARK}}),
        seller.post("/api/v1/transactions", {"listing_id": MARK}),
        seller.get(f"/api/v1/transactions/{MARK}"),
        seller.get(f"/api/v1/transactions?{MARK}={MARK}"),
        seller.get("/api/v1/auth/me", X_Request_Id=f"<{MARK}>"),
        seller.post(f"/api/v1/{MARK}", {MARK: MARK}),
    ]
    for answer in answers:
        assert MARK not in answer.text + str(answer.headers), answer.text


START = b"POST /api/v1/listings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
MANY = b"".join(b"X-%d: 1\r\n" % n for n in range(200))
BAD_FRAMES = {
    "length longer than body": (b"Content-Length: 40\r\n\r\n{}", {b"408"}),
    "length shorter than body": (b"Content-Length: 1\r\n\r\n{}", {b"400"}),
    "length twice": (b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", {b"400"}),
    "length and chunks": (b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", {b"400"}),
    "length negative": (b"Content-Length: -1\r\n\r\n{}", {b"400"}),
    "length of letters": (b"Content-Length: ten\r\n\r\n{}", {b"400"}),
    "bad chunk": (b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n", {b"400"}),
    "space before colon": (b"Content-Length : 2\r\n\r\n{}", {b"400"}),
    "10 MB announced": (b"Content-Length: 10000000\r\n\r\n", {b"413"}),
    "folded header": (b"X-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\n{}", {b"400", b"422", b"431"}),
    "200 headers": (MANY + b"Content-Length: 2\r\n\r\n{}", {b"431", b"400"}),
}


@pytest.mark.guarantee("G21", faults="requests that are no HTTP, over raw sockets")
@pytest.mark.parametrize("name", BAD_FRAMES)
def test_bad_frames_are_refused(installation: Installation, name: str) -> None:
    frame, statuses = BAD_FRAMES[name]
    head = f"Authorization: Bearer {installation.people['seller'].token}\r\nIdempotency-Key: {uuid4()}\r\n"
    written = installation.written()
    answer = exchange(installation.base_url, START + head.encode() + frame)
    assert answer[9:12] in statuses, answer
    assert answer == b"" or b"application/problem+json" in answer
    assert installation.written() == written


@pytest.mark.guarantee("G5", "G21", faults="headers that decide, sent twice, over raw sockets")
@pytest.mark.parametrize("header", sorted(name.decode() for name in SENT_ONCE))
def test_a_header_that_decides_is_sent_once(installation: Installation, header: str) -> None:
    """Whatever stands between client and server may believe the other one."""
    sent = {
        "authorization": f"Bearer {installation.people['seller'].token}",
        "content-type": "application/json",
        "idempotency-key": str(uuid4()),
    }
    lines = [*sent.items(), (header, sent.get(header, "1")), (header.upper(), "another")]
    body = json.dumps(VALID).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in lines) + f"Host: x\r\nContent-Length: {len(body)}\r\n\r\n"
    written = installation.written()
    answer = exchange(installation.base_url, b"POST /api/v1/listings HTTP/1.1\r\n" + head.encode() + body)
    assert answer[9:12] == b"400", answer
    assert b"header_invalid" in answer
    assert installation.written() == written


def test_an_endless_chunked_body_is_cut_off(installation: Installation) -> None:
    with dial(installation.base_url) as wire:
        wire.sendall(START + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(10_000):
                wire.sendall(b"400\r\n" + b" " * 1024 + b"\r\n")
        except OSError:
            pass
        try:
            answer = wire.recv(4096)
        except ConnectionError:
            return  # cut off while still sending: the answer was lost with the connection
    assert answer[9:12] == b"413"


def test_headers_without_end_are_cut_off(installation: Installation) -> None:
    answer = exchange(installation.base_url, START + b"X-A: " + b"x" * 200_000)
    assert answer[9:12] in {b"400", b"431", b""}


def test_garbage_is_no_request(installation: Installation) -> None:
    for garbage in (b"\x16\x03\x01\x00\xa5\x01\x00\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 64):
        answer = exchange(installation.base_url, garbage)
        assert answer == b"" or answer[9:12] == b"400", answer
