"""Sending a file as proof of a listing."""

from uuid import uuid4

import httpx

from tests.api.running import WIRE, Person


def send(
    person: Person,
    listing: str,
    data: bytes,
    name: str = "proof.png",
    *,
    key: str | None = None,
    query: str = "",
    if_match: str = "*",
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {person.token}", "Idempotency-Key": key or str(uuid4()), "If-Match": if_match}
    files = {"file": (name, data, "image/png")}
    return WIRE.post(f"{person.base_url}/api/v1/listings/{listing}/proofs{query}", files=files, headers=headers)
