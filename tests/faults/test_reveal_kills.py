"""The API is killed between the commit of a reveal and its answer: the retry gets the bytes that were sealed then."""

import base64
import os
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest

from database.postgres import EmbeddedServer
from tests.api.running import PASSWORD, Installation
from tests.faults.api_process import ApiProcess
from vault.keypair import generate_private_key, get_public_key


def sealed_answers(installation: Installation, transaction: str) -> list[bytes]:
    with psycopg.connect(installation.app_dsn) as connection:
        query = "SELECT answer FROM reveal_answers WHERE transaction_id = %s"
        return [bytes(row[0]) for row in connection.execute(query, (transaction,)).fetchall()]


def kill_and_retry(installation: Installation, victim: EmbeddedServer, log: Path) -> None:
    transaction, buyer, key = installation.sold(), installation.people["buyer"], str(uuid4())
    public_key = get_public_key(generate_private_key(os.urandom)).raw
    body = {"password": PASSWORD, "client_public_key": base64.b64encode(public_key).decode()}
    process = ApiProcess(victim.home, log)
    process.program = ["-m", "tests.faults.dying", str(process.port)]
    process.start()
    headers = {"Authorization": f"Bearer {buyer.token}", "Idempotency-Key": key}
    path = f"{process.base_url}/transactions/{transaction}/reveal"
    with pytest.raises(httpx.TransportError):
        httpx.post(path, json=body, headers=headers, trust_env=False, timeout=60)
    assert process.process is not None
    assert process.process.wait(timeout=30) == -9
    (sealed,) = sealed_answers(installation, transaction)
    retried = [buyer.post(f"/api/v1/transactions/{transaction}/reveal", body, key=key) for _ in range(2)]
    assert [answer.status_code for answer in retried] == [200, 200]
    assert base64.b64encode(sealed).decode() in retried[0].text
    assert retried[0].content == retried[1].content


@pytest.mark.guarantee("G10", faults="kill -9 after the commit, before the answer", runs="1 kill; 100 in `make soak`")
def test_a_retry_after_a_kill_gets_the_bytes_of_the_committed_reveal(
    around: Installation, victim: EmbeddedServer, tmp_path: Path
) -> None:
    kill_and_retry(around, victim, tmp_path / "api.log")


@pytest.mark.soak
@pytest.mark.guarantee("G10", faults="kill -9 after the commit, before the answer", runs="100 kills")
def test_a_retry_gets_the_same_bytes_after_each_of_100_kills(
    around: Installation, victim: EmbeddedServer, tmp_path: Path
) -> None:
    for _ in range(100):
        kill_and_retry(around, victim, tmp_path / "api.log")
