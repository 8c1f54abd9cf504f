"""Durable commands over HTTP: buyers confirm access on 64 connections, beside the same server's no-op."""

import asyncio
import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from bench.cluster import Cluster, Database, execute
from bench.fill import write
from bench.measurement import Measurement, compare
from bench.server import NO_OP
from bench.size import Size
from bench.story import Sale, Step, Teller
from database.clock import read_clock
from database.connect import open_pool
from database.migrate import migrate
from database.queries import load
from database.settings import Settings
from domain.actor import Actor, Role
from identity.session import Lifetimes, start_session
from projections.install import install

CONNECTIONS = 64
START_SECONDS = 60.0
BODY = b'{"statements":["I have access to the account and it is as described"]}'
SQL = load("bench", "http.sql")

Requests = list[tuple[int, bytes]]


def measure(cluster: Cluster, size: Size) -> list[Measurement]:
    """Confirm access: two events with a journal, answered with the transaction as it is now."""
    rounds, each = size.rounds, size.requests_per_connection
    database = prepare_installation(cluster)
    buyers = [Actor(str(Teller(seed).id()), Role.BUYER) for seed in range(1000, 1000 + CONNECTIONS)]
    sales = prepare(database, buyers, rounds * each)
    tokens = asyncio.run(sign_in(database, buyers))
    cluster.settle()
    ours: list[float] = []
    yardstick: list[float] = []
    latency = ""
    with serve(cluster, [sale.transaction.id for sale in sales]) as port:
        for number in range(rounds):
            part = sales[number * each * CONNECTIONS : (number + 1) * each * CONNECTIONS]
            yardstick.append(load(port, list(no_ops(len(part), tokens)))[0])
            rate, latency = load(port, list(confirmations(part, tokens)))
            ours.append(rate)
    conditions = f"{cluster.conditions}; {CONNECTIONS} connections, one worker; {latency}"
    name, unit = "commands over HTTP / no-op", "requests/s"
    return [compare(name, ours, yardstick, reach=0.5, unit=unit, conditions=conditions)]


def prepare_installation(cluster: Cluster) -> Database:
    """The database that a server with this home finds."""
    server = cluster.server
    made = Database("escrow", server.dsn("owner"), server.dsn("app"), server.superuser_dsn("escrow"))
    migrate(made.owner_dsn)
    install(made.owner_dsn)
    return made


def prepare(database: Database, buyers: Sequence[Actor], each: int) -> list[Sale]:
    """Sales that only wait for their buyers' word, in turn one of each buyer."""
    teller = Teller(7)
    sales = [Sale(teller) for _ in range(each * len(buyers))]
    for number, sale in enumerate(sales):
        sale.buyer = buyers[number % len(buyers)]
    write(database, (step() for sale in sales for step in before_confirmation(sale)))
    return sales


def before_confirmation(sale: Sale) -> list[Step]:
    """All steps up to the acknowledged reveal."""
    signing = [sale.pay, sale.contract, sale.buyer_signs, sale.seller_signs]
    return [*sale.beginning(), *signing, sale.reveal, sale.acknowledge]


async def sign_in(database: Database, buyers: Sequence[Actor]) -> list[str]:
    """Verified users, each with a session; return their access tokens."""
    for buyer in buyers:
        execute(database.superuser_dsn, SQL.insert_buyer, buyer.id, f"{buyer.id}@bench.example")
        execute(database.superuser_dsn, SQL.let_buy, buyer.id)
    async with open_pool(database.app_dsn, max_size=1, autocommit=True) as pool, pool.connection() as connection:
        sessions = [
            await start_session(
                connection, UUID(buyer.id), at=read_clock(), random_bytes=os.urandom, lifetimes=Lifetimes()
            )
            for buyer in buyers
        ]
    return [session.access_token for session in sessions]


def confirmations(sales: Iterable[Sale], tokens: Sequence[str]) -> Generator[tuple[int, bytes]]:
    """Each buyer's requests go over a connection of his own."""
    for number, sale in enumerate(sales):
        place = number % len(tokens)
        path = f"/api/v1/transactions/{sale.transaction.id}/confirm-access"
        yield place, request(path, tokens[place], f"confirm-{sale.transaction.id}")


def no_ops(number: int, tokens: Sequence[str]) -> Generator[tuple[int, bytes]]:
    """As many, over the same connections, with the same headers and body."""
    for place in range(number):
        yield place % len(tokens), request(NO_OP, tokens[place % len(tokens)], f"no-op-{place:034}")


def request(path: str, token: str, key: str) -> bytes:
    """The raw request."""
    head = [f"POST {path} HTTP/1.1", "Host: bench", f"Authorization: Bearer {token}", f"Idempotency-Key: {key}"]
    head += ["Content-Type: application/json", f"Content-Length: {len(BODY)}", "", ""]
    return "\r\n".join(head).encode() + BODY


@contextmanager
def serve(cluster: Cluster, transactions: Iterable[UUID]) -> Generator[int]:
    """One worker, ready; yield its port."""
    port = find_port()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([str(transaction) for transaction in transactions], file)
        file.flush()
        command = [sys.executable, "-m", "bench.server", str(port), file.name]
        process = subprocess.Popen(command, env=make_environment(os.environ, cluster.server.home))
        try:
            wait_until_ready(process, port)
            yield port
        finally:
            process.terminate()
            process.wait()


def make_environment(given: Mapping[str, str], home: Path) -> dict[str, str]:
    """The environment without one setting of another installation: its database and its secrets are not for a bench."""
    kept = {name: value for name, value in given.items() if name.lower() not in Settings.model_fields}
    own = {"ESCROW_HOME": str(home), "PAYSTACK_SECRET_KEY": "sk_test_bench", "PAYSTACK_BASE_URL": "http://127.0.0.1:1"}
    return {**kept, **own}


def find_port() -> int:
    """A free one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    """It answers, or it is over."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"the server ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the server did not start")


def load(port: int, requests: Requests) -> tuple[float, str]:
    """Answers per second, and how long they took; anything but 200 ends the bench."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.writelines(f"{number} {base64.b64encode(raw).decode()}\n" for number, raw in requests)
        file.flush()
        command = [sys.executable, "-m", "bench.load", str(port), file.name]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    answer = json.loads(done.stdout)
    if set(answer["statuses"]) != {"200"}:
        raise SystemExit(f"not all were answered with 200: {answer['statuses']}")
    return answer["rate"], f"p50 {answer['p50_ms']:.1f} ms, p99 {answer['p99_ms']:.1f} ms"
