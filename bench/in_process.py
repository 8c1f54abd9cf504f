"""Durable commands without HTTP: `Escrow.execute` with 64 in flight, beside a stock application and pgbench."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import NamedTuple
from uuid import UUID

import uvloop

from bench.cluster import Cluster, Database
from bench.fill import write
from bench.measurement import Measurement, compare
from bench.pgbench import insert_rows
from bench.size import Size
from bench.stock import run_stock
from bench.story import SYSTEM, Sale, Teller
from cli.operator import escrow_of
from cli.run.serve import spare_collector
from database.connect import open_pool
from domain.command import Command
from domain.transaction import Transaction
from domain.transaction.system_commands import RecordCharge
from eventstore.appender import Appender
from eventstore.escrow import Escrow, Request

IN_FLIGHT = 64
STOCK_THREADS = 32
PGBENCH_CLIENTS = 32
CONNECTIONS = 8


class Task(NamedTuple):
    """One command to carry out."""

    stream_id: UUID
    command: Command[Transaction]
    request: Request


def measure(cluster: Cluster, size: Size) -> list[Measurement]:
    """Learn the fees of charges: each command records one event with a journal and answers when it is durable."""
    rounds, number = size.rounds, size.commands
    database = cluster.make_database()
    sales = prepare(database, rounds * number, Teller())
    # As the API starts, for both sides: otherwise the bench's own sales are looked through for cycles.
    spare_collector()
    ours: list[float] = []
    stock: list[float] = []
    rows: list[float] = []
    for place in range(rounds):
        cluster.settle()
        ours.append(run_commands(database, sales[place * number : (place + 1) * number], place * number))
        stock.append(run_stock(cluster, size.stock_commands, STOCK_THREADS))
        rows.append(insert_rows(cluster, seconds=size.pgbench_seconds, clients=PGBENCH_CLIENTS))
    cluster.drop(database)
    unit = "commands/s"
    conditions = f"{cluster.conditions}; {IN_FLIGHT} in flight, one process; a command is one event with a journal"
    beside = f"{conditions}; stock application: 1 event per command, {STOCK_THREADS} threads"
    single = f"{conditions}; pgbench: 1 row of 500 bytes per INSERT, {PGBENCH_CLIENTS} clients, prepared"
    return [
        compare("commands in process / stock", ours, stock, reach=12, unit=unit, conditions=beside),
        compare("commands in process / pgbench", ours, rows, reach=0.6, unit=unit, conditions=single),
    ]


def run_commands(database: Database, sales: Sequence[Sale], first: int) -> float:
    """Return commands per second on transactions that were opened before; the keys count from `first`."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure(database, [task_of(sale, first + place) for place, sale in enumerate(sales)]))


def prepare(database: Database, number: int, teller: Teller) -> list[Sale]:
    """Sales that are paid while the processor does not know its fee yet, in the log."""
    sales = [Sale(teller) for _ in range(number)]
    write(database, (step() for sale in sales for step in (*sale.beginning(), sale.pay_without_fee)))
    return sales


async def _measure(database: Database, tasks: Sequence[Task]) -> float:
    async with open_escrow(database) as escrow:
        _ = await drain((escrow.get(Transaction, task.stream_id) for task in tasks), 2 * CONNECTIONS)
        return await drain((escrow.execute(*task) for task in tasks), IN_FLIGHT)


@asynccontextmanager
async def open_escrow(database: Database) -> AsyncGenerator[Escrow]:
    """As the application has it."""
    pool = open_pool(database.app_dsn, max_size=CONNECTIONS, min_size=CONNECTIONS, autocommit=True)
    async with pool, Appender(database.app_dsn) as appender:
        yield escrow_of(pool, appender)


def task_of(sale: Sale, number: int) -> Task:
    """The processor knows its fee now."""
    digest = number.to_bytes(32, "big")
    request = Request(actor=SYSTEM, command_id=digest, digest=digest, request_id=f"r-{number:024}")
    return Task(sale.transaction.id, RecordCharge(charge=sale.charge()), request)


async def drain(work: Iterator[Awaitable[object]], in_flight: int) -> float:
    """Do all of it, so many at a time; return how many per second."""
    done = 0

    async def keep_busy() -> None:
        nonlocal done
        for one in work:
            _ = await one
            done += 1

    began = perf_counter()
    _ = await asyncio.gather(*[keep_busy() for _ in range(in_flight)])
    return done / (perf_counter() - began)
