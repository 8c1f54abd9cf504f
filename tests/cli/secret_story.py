"""A sale in a running demo in which everything secret that people type, or are shown, can be recognised."""

import re
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from uuid import uuid4

import httpx

from tests.running_demo import Demo
from tests.waiting import wait_until

CODE = re.compile(r"(?<!\d)(\d{6})(?!\d)")
API = "/api/v1"
PATIENCE_SECONDS = 60.0
JsonObject = dict[str, object]


@dataclass
class Story:
    """What was typed and shown, and every answer but those that are meant to show a secret."""

    demo: Demo
    mark: str = field(default_factory=lambda: f"canary{secrets.token_hex(10)}")
    secrets: list[bytes] = field(default_factory=list)
    answers: dict[object, bytes] = field(default_factory=dict)
    client: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=30))
    transaction: str = ""
    used: set[str] = field(default_factory=set)
    started: float = field(default_factory=lambda: time.time() - 1)

    def make(self, purpose: str) -> str:
        """A secret that is known again by its mark, in whatever it is wrapped."""
        return f"{purpose}/{self.mark}+{purpose} \u00e4"

    def ask(self, method: str, path: str, body: object = None, token: str = "", *, shown: bool = False) -> JsonObject:
        """Send a request; its answer is kept unless it is `shown` to somebody who may see a secret in it."""
        headers = {"Authorization": f"Bearer {token or 'none'}", "Idempotency-Key": str(uuid4())}
        url = f"{self.demo.facts['base_url']}{API}{path}"
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        if isinstance(body, bytes):
            headers["Content-Type"] = "application/json"
        answer = self.client.request(method, url, headers=headers, **content)
        if not shown:
            said = f"{answer.headers}".encode() + answer.content
            self.answers[f"{len(self.answers)} {method} {path.replace(self.mark, '')}: {answer.status_code}"] = said
        if not answer.content.startswith(b"{"):
            return {"status": answer.status_code, "text": answer.text}
        return {**cast("JsonObject", answer.json()), "status": answer.status_code}

    def must(self, method: str, path: str, body: object = None, token: str = "", *, shown: bool = False) -> JsonObject:
        """The same, and it succeeds."""
        answer = self.ask(method, path, body, token, shown=shown)
        status = answer["status"]
        assert isinstance(status, int), status
        assert status < 300 or isinstance(answer.get("state"), str), (method, path, status, answer.get("code"))
        return answer

    def token_of(self, name: str) -> str:
        """A fresh token of one of the demo's own people, who stand in demo.json with all their secrets."""
        return str(self.demo.facts["users"][name]["token"])

    def newest_code(self, address: str) -> str:
        """The six digits that were mailed last."""
        found: list[str] = []

        def arrived() -> bool:
            for path in sorted(Path(self.demo.home, "mail").glob("*.eml"), reverse=True):
                text = path.read_text(errors="replace")
                body = text.partition("\n\n")[2]
                if address in text and (match := CODE.search(body)) and match[1] not in self.used:
                    found.append(match[1])
                    self.used.add(match[1])
                    return True
            return False

        wait_until(arrived, seconds=PATIENCE_SECONDS)
        return found[-1]


def tell(story: Story) -> None:
    """Sell something to somebody new, with a mistake before every step that takes a secret."""
    story.secrets.append(story.mark.encode())
    address, password = f"{uuid4().hex}@example.com", story.make("password")
    token = _join(story, address, password)
    _sell(story, token, password)
    _change(story, address, password, token)
    _say_nonsense(story)


def _join(story: Story, address: str, password: str) -> str:
    names = {"display_name": "Somebody", "legal_name": "Somebody New"}
    story.must("POST", "/auth/register", {"email": address, "password": password, **names})
    story.must("POST", "/auth/verify-email", {"email": address, "code": story.newest_code(address)})
    story.ask("POST", "/auth/login", {"email": address, "password": story.make("wrong")})
    token = _sign_in(story, address, password)
    story.must("POST", "/auth/second-factor/code", None, token)
    mailed = story.newest_code(address)
    story.ask("POST", "/auth/second-factor", {"mailed_code": mailed, "password": story.make("second")}, token)
    story.must("POST", "/auth/second-factor", {"mailed_code": mailed, "password": password}, token)
    key = story.must("POST", "/users/me/api-keys", {"name": "a program", "scopes": ["read"]}, token, shown=True)
    story.secrets += [value.encode() for value in key.values() if isinstance(value, str) and value.startswith("esk_")]
    return token


def _sign_in(story: Story, address: str, password: str) -> str:
    signed_in = story.must("POST", "/auth/login", {"email": address, "password": password}, shown=True)
    story.secrets += [str(signed_in[name]).encode() for name in ("access_token", "refresh_token", "device_token")]
    return str(signed_in["access_token"])


def _sell(story: Story, token: str, password: str) -> None:
    seller, admin, own = (
        story.token_of("seller"),
        story.token_of("admin"),
        story.demo.facts["users"]["seller"]["password"],
    )
    price = {"amount_minor": 700_000, "currency": "KES"}
    offer = {"title": "A marked account", "description": "With a mark in it.", "price": price}
    listing = str(story.must("POST", "/listings", offer, seller)["id"])
    credentials = {"username": story.make("name"), "password": story.make("credential")}
    story.ask("PUT", f"/listings/{listing}/credentials", {"credential": credentials}, seller)
    story.must("PUT", f"/listings/{listing}/credentials", {"credentials": credentials}, seller)
    story.must("POST", f"/listings/{listing}/submit", None, seller)
    story.must("POST", f"/admin/listings/{listing}/approve", None, admin)
    story.transaction = str(story.must("POST", "/transactions", {"listing_id": listing}, token)["id"])
    path = f"/transactions/{story.transaction}"
    page = story.must("POST", f"{path}/pay", None, token)
    story.client.post(str(page["authorization_url"]), json={"outcome": "success"}).raise_for_status()
    wait_until(lambda: story.ask("GET", path, None, token).get("contract") is not None, seconds=PATIENCE_SECONDS)
    contract = cast("JsonObject", story.ask("GET", path, None, token)["contract"])
    by_seller = {"content_sha256": contract["sha256"], "legal_name": "Demo Seller"}
    story.ask("POST", f"{path}/contract/sign", {**by_seller, "password": story.make("signing")}, seller)
    story.must("POST", f"{path}/contract/sign", {**by_seller, "password": own}, seller)
    story.must("POST", f"{path}/contract/sign", {**by_seller, "legal_name": "Somebody New"}, token)
    story.ask("POST", f"{path}/reveal", {"password": story.make("revealing")}, token)
    shown = story.must("POST", f"{path}/reveal", {"password": password}, token, shown=True)
    assert story.mark in str(shown), "the credentials are shown, or nothing is proven"
    story.ask("POST", f"{path}/reveal", {"password": password}, token)
    story.must("POST", f"{path}/reveal/acknowledge", None, token)
    story.must("POST", f"{path}/confirm-access", None, token)


def _change(story: Story, address: str, password: str, token: str) -> None:
    story.ask("POST", "/auth/password", {"password": story.make("old"), "new_password": story.make("new")}, token)
    story.must("POST", "/auth/password", {"password": password, "new_password": story.make("new")}, token)
    _sign_in(story, address, story.make("new"))


def _say_nonsense(story: Story) -> None:
    """Requests that are wrong in every way in which somebody's error message might repeat them."""
    secret = story.make("nonsense")
    story.ask("POST", "/auth/login", {"email": secret, "password": [secret], secret: secret})
    story.ask("POST", "/auth/login", f'{{"email": "x", "password": "{secret}" '.encode())
    story.ask("POST", "/auth/refresh", {"refresh_token": secret})
    story.ask("POST", "/auth/verify-email", {"email": secret, "code": secret})
    story.ask("GET", f"/transactions?{story.mark}={story.mark}", None, story.token_of("buyer"))
    story.ask("GET", f"/transactions/{story.mark}", None, f"{story.mark}x")
    story.ask("GET", f"/transactions/{story.mark}", None, story.token_of("buyer"))
    story.ask("POST", f"/transactions/{story.transaction}/reveal", {"password": secret}, story.token_of("seller"))
    story.ask("POST", "/webhooks/paystack", {"event": "charge.success", "data": {"secret": secret}})
