"""The hostile corpus over httpx, and what httpx refuses to send over raw sockets: no 5xx, no echo, no event."""

import json
from uuid import uuid4

import pytest

from api.http.front_door import SENT_ONCE
from tests.api.hostile import CORPUS, VALID, Case, check_case
from tests.api.running import Installation
from tests.raw_http import dial, exchange

MARK = "canary-7f3a"


@pytest.mark.guarantee(
    "G5",
    "G21",
    faults="the hostile corpus: numbers, texts, shapes, headers, addresses",
    runs="every line of hostile.yaml",
)
@pytest.mark.parametrize("case", CORPUS, ids=[str(case["id"]) for case in CORPUS])
def test_hostile_input_is_refused(installation: Installation, places: dict[str, str], case: Case) -> None:
    check_case(installation, places, case)


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
