"""The API as a process that can be killed, people who are signed in to it, and clients that keep a journal."""

import asyncio
import hashlib
import os
import random
import socket
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg

from database.connect import open_pool
from identity.session import Lifetimes, start_session
from tests.faults.journal import Journal

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
NOBODY_LISTENS = "http://127.0.0.1:1"
USER = """
INSERT INTO users (id, email, email_is_unusual, display_name, legal_name, created_at, verified_at)
VALUES (%s, %s, false, 'Seller', 'Seller', now(), now())
"""
ROLE = "INSERT INTO user_roles (user_id, role, granted_at) VALUES (%s, 'seller', now())"


class ApiProcess:
    """`escrow serve` on a port of its own, with a payment processor that cannot be reached."""

    def __init__(self, home: Path, log: Path) -> None:
        self.log = log
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "ESCROW_HOME": str(home),
            "PAYSTACK_SECRET_KEY": "sk_test_" + uuid.uuid4().hex,
            "PAYSTACK_BASE_URL": NOBODY_LISTENS,
        }
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    def start(self) -> None:
        """Ready when this returns."""
        command = [sys.executable, "-m", "cli.main", "serve", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, cwd=ROOT, stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        while not self.is_live():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.05)

    def is_live(self) -> bool:
        try:
            return httpx.get(f"{self.base_url}/ops/liveness", timeout=2, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """As the kernel does when memory runs out."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """As an operator does: it finishes what it has begun."""
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(timeout=40) == 0, self.log.read_text()


async def sign_in_seller(superuser_dsn: str, app_dsn: str) -> tuple[str, str]:
    """A new verified seller; return his id and an access token."""
    user_id = uuid.uuid4()
    with psycopg.connect(superuser_dsn, autocommit=True) as connection:
        connection.execute(USER, [user_id, f"{user_id}@example.com"])
        connection.execute(ROLE, [user_id])
    async with open_pool(app_dsn, max_size=1, autocommit=True) as pool, pool.connection() as connection:
        at = datetime.now(UTC)
        tokens = await start_session(connection, user_id, at=at, random_bytes=os.urandom, lifetimes=Lifetimes())
    return str(user_id), tokens.access_token


class Seller:
    """Drafts listings, and now and then asks for what must be refused; retries with the same key until it knows."""

    def __init__(self, client: httpx.AsyncClient, journal: Journal, user_id: str, token: str, seed: int) -> None:
        self.client = client
        self.journal = journal
        self.user_id = user_id
        self.headers = {"Authorization": f"Bearer {token}"}
        self.random = random.Random(seed)
        self.drafted: list[str] = []
        self.number = 0

    async def act(self) -> None:
        """One command, to its end."""
        self.number += 1
        if self.drafted and self.random.random() < 0.3:
            await self._send(f"/listings/{self.drafted[-1]}/submit", None)
            return
        price = {"amount_minor": self.random.randrange(1, 10**6), "currency": "NGN"}
        answer = await self._send("/listings", {"title": "An account", "description": "As new", "price": price})
        if answer is not None:
            self.drafted.append(answer["id"])

    async def _send(self, path: str, body: dict[str, object] | None) -> dict | None:
        key = f"{self.user_id}-{self.number}"
        name = hashlib.sha256(f"{self.user_id}\n{key}".encode()).hexdigest()
        while True:
            self.journal.invoke(name)
            try:
                headers = {**self.headers, "Idempotency-Key": key}
                answer = await self.client.post(path, json=body, headers=headers)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.is_success:
                self.journal.complete(name, "acked", position=int(answer.headers["Escrow-Position"]))
                return answer.json()
            if answer is not None and answer.status_code < 500 and answer.headers.get("Retry-After") is None:
                self.journal.complete(name, "rejected", status=answer.status_code, text=answer.text)
                return None
            self.journal.complete(name, "unknown")
            await asyncio.sleep(0.05)
