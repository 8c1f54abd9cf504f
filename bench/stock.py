"""The library `eventsourcing` as it comes out of the box: an application, and a runner of projections."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, DomainEventProtocol, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.conninfo import conninfo_to_dict

from bench.cluster import Cluster, execute
from database.queries import load

SQL = load("bench", "stock.sql")


class Purse(Aggregate):
    """Something that holds money."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.balance = 0

    @event("Charged")
    def charge(self, reference: str, amount_minor: int, postings: list[list[object]]) -> None:
        """Money comes in."""
        self.balance += amount_minor


class Purses(Application[UUID]):
    """One command, one event, one transaction."""

    snapshotting_intervals = None

    def open(self) -> UUID:
        """A new purse."""
        purse = Purse("somebody")
        self.save(purse)
        return purse.id

    def charge(self, purse_id: UUID, number: int) -> None:
        """Load, decide, save."""
        purse: Purse = self.repository.get(purse_id)
        lines: list[list[object]] = [["paystack:uncleared", "", 1000], ["escrow:held", "", -1000]]
        purse.charge(f"ch-{number:037}", 1000, lines)
        self.save(purse)


def environment_of(dsn: str, *, connections: int) -> dict[str, str]:
    """The library's settings for this server."""
    facts = conninfo_to_dict(dsn)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(facts["dbname"]),
        "POSTGRES_HOST": str(facts["host"]),
        "POSTGRES_PORT": str(facts["port"]),
        "POSTGRES_USER": str(facts["user"]),
        "POSTGRES_PASSWORD": str(facts["password"]),
        "POSTGRES_POOL_SIZE": str(connections),
        "POSTGRES_MAX_OVERFLOW": str(connections),
        "POSTGRES_SCHEMA": "public",
        "AGGREGATE_CACHE_MAXSIZE": "20000",
    }


def run_stock(cluster: Cluster, number: int, threads: int) -> float:
    """Return commands per second, each on a purse of its own that was opened before."""
    database = cluster.make_database(empty=True)
    environment = environment_of(database.superuser_dsn, connections=threads)
    with Purses(env=environment) as app, ThreadPoolExecutor(threads) as workers:
        opened = list(workers.map(lambda _: app.open(), range(number)))
        cluster.settle()
        began = perf_counter()
        list(workers.map(partial(_charge, app), opened, range(number)))
        rate = number / (perf_counter() - began)
    cluster.drop(database)
    return rate


class Balances(PostgresTrackingRecorder):
    """One table, written in the transaction that tracks the position."""

    def add(self, purse_id: UUID, amount_minor: int, tracking: Tracking) -> None:
        """Move a balance."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(SQL.move_balance, (purse_id, amount_minor))


class BalanceProjection(Projection[Balances]):
    """Every event, each in a transaction of its own; `project_stock` gives it openings, each a new row of zero."""

    def process_event(self, domain_event: DomainEventProtocol[UUID], tracking: Tracking) -> None:
        """Fold one event."""
        self.view.add(domain_event.originator_id, getattr(domain_event, "amount_minor", 0), tracking)


def project_stock(cluster: Cluster, events: int) -> float:
    """Return events per second of the library's runner over a log of so many."""
    database = cluster.make_database(empty=True)
    environment = environment_of(database.superuser_dsn, connections=8)
    with Purses(env=environment) as app:
        for _ in range(events):
            _ = app.open()
        last = app.recorder.max_notification_id()
    execute(database.superuser_dsn, SQL.create_balances)
    cluster.settle()
    began = perf_counter()
    with ProjectionRunner(
        application_class=Purses, projection_class=BalanceProjection, view_class=Balances, env=environment
    ) as runner:
        runner.wait(last, timeout=120)
        rate = events / (perf_counter() - began)
    cluster.drop(database)
    return rate


def _charge(app: Purses, purse_id: UUID, number: int) -> None:
    app.charge(purse_id, number)
