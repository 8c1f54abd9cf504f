"""The API as a process that can be killed, stopped and started again."""

import os
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import httpx

from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
NOBODY_LISTENS = "http://127.0.0.1:1"


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
        self.program = ["-m", "cli.main", "serve", "--port", str(self.port)]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    def start(self) -> None:
        """Ready when this returns."""
        command = [sys.executable, *self.program]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, cwd=ROOT, stdout=log, stderr=log)
        try:
            wait_until(lambda: self.process.poll() is not None or self.is_live(), seconds=START_SECONDS)
            assert self.process.poll() is None, self.log.read_text()
        except BaseException:
            self.kill()
            raise

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


Pair = tuple[ApiProcess, ApiProcess]
