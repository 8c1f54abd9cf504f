"""Proof files over HTTP: who may send and open them, what they are called, and what becomes of what is refused."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast
from uuid import uuid4

import httpx
import psycopg
import pytest

from api.files.media import LARGEST_BYTES
from api.files.upload import LARGEST_FORM
from tests.api.proof_files import send
from tests.api.running import WIRE, Installation, Person
from tests.api.samples import OTHERS, PNG, SAMPLES, TWO_THINGS, box, mp4, png_of
from tests.raw_http import exchange, raw_request
from tests.waiting import wait_until
from tests.weaknesses.running import read

DRAFT = {"title": "An account", "description": "Old.", "price": {"amount_minor": 1000, "currency": "KES"}}
HELD_UP = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
PLACE = re.compile(r"objects/[0-9a-f-]{36}/[0-9a-f]{64}")
NAMES = {
    "../../etc/passwd": "passwd",
    "C:\\Users\\me\\proof.png": "proof.png",
    ".htaccess": "htaccess",
    "a\u202egnp.exe": "agnp.exe",
    "x" * 300: "x" * 120,
    "...": "file",
    "<img src=x onerror=alert(1)>.png": "<img src=x onerror=alert(1)>.png",
    "Kontoauszug für März.png": "Kontoauszug für März.png",
    "CON": "CON",
}


def draft(installation: Installation, name: str = "seller") -> str:
    return str(installation.people[name].must("/api/v1/listings", DRAFT)["id"])


def send_raw(person: Person, listing: str, form: bytes, boundary: str = "line") -> httpx.Response:
    headers = {
        "Authorization": f"Bearer {person.token}",
        "Idempotency-Key": str(uuid4()),
        "Content-Type": f"multipart/form-data; boundary={boundary}",
    }
    return WIRE.post(f"{person.base_url}/api/v1/listings/{listing}/proofs", content=form, headers=headers)


def stored(installation: Installation) -> list[Path]:
    return [path for path in installation.files.rglob("*") if path.is_file()]


def path_of(installation: Installation, data: bytes) -> Path:
    """Where a file of the seller lies."""
    seller = str(installation.people["seller"].id)
    return installation.files / "objects" / seller / hashlib.sha256(data).hexdigest()


def items(person: Person, listing: str) -> list[dict[str, object]]:
    answer = person.get(f"/api/v1/listings/{listing}/proofs")
    assert answer.status_code == 200, answer.text
    return cast("list[dict[str, object]]", answer.json()["items"])


@pytest.mark.parametrize("media_type", SAMPLES)
def test_every_kind_comes_back_as_it_was_sent_and_only_as_a_download(installation: Installation, media_type: str):
    seller, listing, data = installation.people["seller"], draft(installation), SAMPLES[media_type]
    sent = send(seller, listing, data, "shown.html")
    assert sent.status_code == 201, sent.text
    proof = sent.json()
    assert proof["media_type"] == media_type
    assert proof["sha256"] == hashlib.sha256(data).hexdigest()
    got = seller.get(f"/api/v1/listings/{listing}/proofs/{proof['id']}", Range="bytes=0-3", If_Range='"x"')
    assert (got.status_code, got.content) == (200, data)
    headers = got.headers
    assert headers["Content-Type"] == media_type
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"].startswith('attachment; filename="shown.html.')
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Accept-Ranges"] == "none"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_only_data(installation: Installation, name: str):
    seller, listing = installation.people["seller"], draft(installation)
    proof = send(seller, listing, PNG, name).json()
    assert proof["name"] == NAMES[name]
    got = seller.get(f"/api/v1/listings/{listing}/proofs/{proof['id']}")
    assert got.status_code == 200
    assert got.headers["Content-Disposition"].isascii()
    assert all(PLACE.fullmatch(str(path.relative_to(installation.files))) for path in stored(installation))


def test_a_name_with_nul_and_line_breaks_is_only_data(installation: Installation):
    form = (
        b'--line\r\nContent-Disposition: form-data; name="file"; filename="a\0b%0d%0a.png"\r\n\r\n'
        + PNG
        + b"\r\n--line--\r\n"
    )
    answer = send_raw(installation.people["seller"], draft(installation), form)
    assert (answer.status_code, answer.json()["name"]) == (201, "ab%0d%0a.png")


REFUSED = {**OTHERS, **TWO_THINGS, "a page that is called a PNG": b"\x89PNG\r\n\x1a\n<html>"}


@pytest.mark.guarantee("G21", faults="files of no kind, of two kinds, cut off", runs="every line of the tables")
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_what_it_says_leaves_nothing_behind(installation: Installation, name: str):
    seller, listing, before = installation.people["seller"], draft(installation), stored(installation)
    written = installation.written()
    answer = send(seller, listing, REFUSED[name])
    assert answer.status_code == 415, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (installation.written(), stored(installation)) == (written, before)


def test_nothing_and_too_much_are_refused(installation: Installation):
    seller, listing = installation.people["seller"], draft(installation)
    written, before = installation.written(), stored(installation)
    for data, status, code in (
        (b"", 422, "file_empty"),
        (png_of(50_000, 50_000), 413, "image_too_large"),
        (PNG + bytes(LARGEST_BYTES["image"]), 413, "file_too_large"),
    ):
        answer = send(seller, listing, data)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (installation.written(), stored(installation)) == (written, before)


def test_a_video_may_be_larger_than_an_image(installation: Installation):
    seller, listing = installation.people["seller"], draft(installation)
    large = mp4(box(b"mdat", bytes(LARGEST_BYTES["image"] + 1)))
    assert send(seller, listing, large).status_code == 201


def announce(installation: Installation, listing: str, length: int, token: str, key: str | None = None) -> bytes:
    """Announce a large body and send none of it."""
    announced = raw_request(
        f"POST /api/v1/listings/{listing}/proofs",
        Content_Type="multipart/form-data; boundary=a",
        Authorization=f"Bearer {token}",
        Idempotency_Key=key or str(uuid4()),
        Content_Length=str(length),
        Expect="100-continue",
    )
    return exchange(installation.base_url, announced)


def test_who_may_not_send_is_refused_before_the_first_byte(installation: Installation):
    listing = draft(installation)
    for name, status in (("seller", b"413"), ("stranger", b"404"), ("admin", b"403")):
        answer = announce(installation, listing, LARGEST_FORM + 1, installation.people[name].token)
        assert answer[9:12] == status, answer
        assert b"connection: close" in answer.lower()
    assert announce(installation, listing, 1_000, "not a token")[9:12] == b"401"
    stranger, key = installation.people["stranger"], str(uuid4())
    assert stranger.post("/api/v1/listings", DRAFT, key=key).status_code == 201
    for one in (listing, str(uuid4())):
        answer = announce(installation, one, 1_000, stranger.token, key)
        assert (answer[9:12], b"connection: close" in answer.lower()) == (b"422", True), answer


def test_the_same_file_twice_is_one(installation: Installation):
    seller, listing, key = installation.people["seller"], draft(installation), str(uuid4())
    first = send(seller, listing, PNG, key=key)
    again, other_key = send(seller, listing, PNG, key=key), send(seller, listing, PNG, "other.png")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json() == again.json() == other_key.json()
    assert len(items(seller, listing)) == 1
    other_file = send(seller, listing, SAMPLES["image/jpeg"], key=key)
    assert (other_file.status_code, other_file.json()["code"]) == (422, "idempotency_key_reused")


def test_a_dry_run_stores_nothing(installation: Installation):
    seller, listing, written = installation.people["seller"], draft(installation), installation.written()
    before = stored(installation)
    answer = send(seller, listing, SAMPLES["image/webp"], query="?dry_run=true")
    assert (answer.status_code, answer.headers["Escrow-Dry-Run"]) == (200, "true")
    assert (installation.written(), stored(installation)) == (written, before)


def test_a_file_lies_there_as_long_as_one_listing_needs_it(installation: Installation):
    seller = installation.people["seller"]
    data = mp4(box(b"free", b"sent to two listings"))
    one, two = draft(installation), draft(installation)
    path = path_of(installation, data)
    proofs = {listing: send(seller, listing, data).json()["id"] for listing in (one, two)}
    for listing, is_there in ((one, True), (two, False)):
        answer = seller.request(
            "DELETE", f"/api/v1/listings/{listing}/proofs/{proofs[listing]}", Idempotency_Key=str(uuid4())
        )
        assert (answer.status_code, answer.json()["items"]) == (200, [])
        assert path.exists() is is_there
        assert seller.get(f"/api/v1/listings/{listing}/proofs/{proofs[listing]}").status_code == 404
    again = send(seller, one, data)
    assert again.status_code == 201
    assert path.exists()


def test_a_repeat_of_what_was_removed_brings_nothing_back(installation: Installation):
    seller, listing, key = installation.people["seller"], draft(installation), str(uuid4())
    data = mp4(box(b"free", b"sent, removed, and sent again"))
    sent = send(seller, listing, data, key=key)
    place = f"/api/v1/listings/{listing}/proofs/{sent.json()['id']}"
    assert seller.request("DELETE", place, Idempotency_Key=str(uuid4())).status_code == 200
    again = send(seller, listing, data, key=key)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert not path_of(installation, data).exists()
    assert items(seller, listing) == []
    assert send(seller, listing, data).status_code == 201
    assert path_of(installation, data).exists()


def test_what_is_refused_after_it_was_stored_is_not_kept_and_can_be_sent_again(installation: Installation):
    """Another proof comes between the look at the version and the command."""
    seller, listing, key = installation.people["seller"], draft(installation), str(uuid4())
    data = mp4(box(b"free", b"sent while another one was"))
    version = seller.get(f"/api/v1/listings/{listing}").headers["ETag"]
    with psycopg.connect(installation.superuser_dsn) as connection, ThreadPoolExecutor(1) as pool:
        subject = f"{seller.id} {hashlib.sha256(data).hexdigest()}"
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 20))", (subject,))
        sending = pool.submit(send, seller, listing, data, key=key, if_match=version)
        wait_until(lambda: read(installation, HELD_UP), bool)
        assert send(seller, listing, PNG).status_code == 201
        connection.rollback()
        refused = sending.result()
    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    assert not path_of(installation, data).exists()
    sent = send(seller, listing, data, key=key)
    assert (sent.status_code, sent.json()["name"]) == (201, "proof.png"), sent.text
    got = seller.get(f"/api/v1/listings/{listing}/proofs/{sent.json()['id']}")
    assert (got.status_code, got.content) == (200, data)


def test_proofs_are_opened_by_those_who_have_to_judge_them(installation: Installation):
    people, seller = installation.people, installation.people["seller"]
    listing = draft(installation)
    proof = send(seller, listing, PNG).json()["id"]
    paths = (f"/api/v1/listings/{listing}/proofs", f"/api/v1/listings/{listing}/proofs/{proof}")

    def statuses(*names: str) -> set[int]:
        return {people[name].get(path).status_code for name in names for path in paths}

    assert statuses("seller", "admin", "super_admin") == {200}
    assert statuses("buyer", "stranger") == {404}
    assert statuses("auditor") == {403}
    secret = {"credentials": {"username": "someone", "password": "hunter2"}}
    seller.must(f"/api/v1/listings/{listing}/credentials", secret, method="PUT")
    seller.must(f"/api/v1/listings/{listing}/submit")
    assert send(seller, listing, SAMPLES["image/jpeg"]).json()["code"] == "listing_not_editable"
    people["admin"].must(f"/api/v1/admin/listings/{listing}/approve")
    assert statuses("buyer", "stranger") == {403}
    assert people["stranger"].get(f"/api/v1/catalog/{listing}").json()["proofs"] == {"image": 1}
    opened = str(people["buyer"].must("/api/v1/transactions", {"listing_id": listing})["id"])
    assert statuses("buyer") == {200}
    assert statuses("stranger") == {403}
    people["buyer"].must(f"/api/v1/transactions/{opened}/cancel", {})
    wait_until(lambda: statuses("buyer") == {403})


def test_what_was_changed_on_the_disk_is_not_given_out(installation: Installation):
    seller, listing, data = installation.people["seller"], draft(installation), SAMPLES["application/pdf"]
    proof = send(seller, listing, data).json()
    path = installation.files / "objects" / str(seller.id) / proof["sha256"]
    path.write_bytes(data[:-1] + b"!")
    answer = seller.get(f"/api/v1/listings/{listing}/proofs/{proof['id']}")
    assert (answer.status_code, answer.json()["code"]) == (503, "file_unavailable")


PART = b'--line\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
FORMS = {
    "no part": b"--line--\r\n",
    "two files": PART + PNG + b"\r\n" + PART + PNG + b"\r\n--line--\r\n",
    "another name": PART.replace(b'"file"', b'"proof"') + PNG + b"\r\n--line--\r\n",
    "no file name": PART.replace(b'; filename="a.png"', b"") + PNG + b"\r\n--line--\r\n",
    "no end": PART + PNG,
    "no form": b"just text",
    "headers without end": b"--line\r\nX: " + b"x" * 100_000,
    "many headers": b"--line\r\n" + b"A: b\r\n" * 1_000 + b"\r\n",
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_that_is_not_one_file_is_refused(installation: Installation, name: str):
    written = installation.written()
    answer = send_raw(installation.people["seller"], draft(installation), FORMS[name])
    assert (answer.status_code, answer.json()["code"]) == (400, "form_malformed")
    assert installation.written() == written + 1  # the draft itself


def test_what_is_no_form_is_refused(installation: Installation):
    seller, listing = installation.people["seller"], draft(installation)
    path = f"/api/v1/listings/{listing}/proofs"
    assert seller.post(path, {"file": "a"}).json()["code"] == "file_expected"
    assert seller.post(path).json()["code"] == "file_expected"
    assert send_raw(seller, listing, b"", boundary="").json()["code"] == "file_expected"
    assert send_raw(seller, listing, b"", boundary="x" * 300).status_code == 400


@pytest.mark.parametrize(("name", "answer"), [("seller", (415, "file_expected")), ("stranger", (404, "not_found"))])
@pytest.mark.parametrize("content_type", ["image/png", "application/json", "application/x-www-form-urlencoded"])
def test_a_file_without_a_form_is_told_to_come_in_one(
    installation: Installation, content_type: str, name: str, answer: tuple[int, str]
):
    listing, person = draft(installation), installation.people[name]
    headers = {"Authorization": f"Bearer {person.token}", "Idempotency-Key": str(uuid4()), "Content-Type": content_type}
    url = f"{person.base_url}/api/v1/listings/{listing}/proofs"
    refused = WIRE.post(url, content=PNG, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == answer


def test_the_log_has_the_hash_and_not_the_name(installation: Installation):
    seller, listing = installation.people["seller"], draft(installation)
    proof = send(seller, listing, SAMPLES["image/webp"], "grandmother.webp").json()
    with psycopg.connect(installation.app_dsn) as connection:
        query = "SELECT data::text FROM event_log WHERE stream = %s AND type = 'listing.proof_attached.v1'"
        (row,) = connection.execute(query, (listing,)).fetchall()
    assert proof["sha256"] in row[0]
    assert "grandmother" not in row[0]


def test_a_method_that_the_address_does_not_know_is_said_so_to_a_form_too(installation: Installation):
    seller, listing = installation.people["seller"], draft(installation)
    answer = WIRE.put(
        f"{seller.base_url}/api/v1/listings/{listing}/proofs",
        files={"file": ("proof.png", PNG, "image/png")},
        headers={"Authorization": f"Bearer {seller.token}", "Idempotency-Key": str(uuid4())},
    )
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST"), answer.text
    assert not items(seller, listing)
