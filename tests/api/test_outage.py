"""The database goes away and comes back: 503 in time, never a 2xx without a commit, and no restart needed."""

import json
import threading
import time
from collections.abc import Callable, Generator
from uuid import uuid4

import httpx
import psycopg
import pytest

from database.migrate import migrate
from database.postgres import EmbeddedServer
from projections.install import install
from tests.api.running import WIRE, Installation, run_installation
from tests.conftest import embedded
from tests.faults.plants import AcknowledgesFirst
from tests.home import own_home
from tests.raw_http import dial, raw_request
from tests.waiting import wait_until

LONGEST_SECONDS = 2.5
TRIES = 5
"""A busy machine is late now and then; a product that waits longer than it promises is late every time."""
T = "/api/v1/transactions"


@pytest.fixture(scope="module")
def server_of_ones_own() -> Generator[EmbeddedServer]:
    """A server that a test may stop."""
    with own_home("escrow-outage-") as home, embedded(home) as server:
        migrate(server.dsn("owner", "escrow"))
        install(server.dsn("owner", "escrow"))
        yield server


@pytest.fixture(scope="module")
def lonely(server_of_ones_own: EmbeddedServer) -> Generator[Installation]:
    """An installation on that server."""
    dsn = server_of_ones_own.dsn("app", "escrow")
    with run_installation(dsn, dsn) as installation:
        yield installation


@pytest.mark.guarantee("G18", faults="PostgreSQL is stopped, and started again")
def test_an_outage_is_answered_in_time_and_heals_by_itself(
    server_of_ones_own: EmbeddedServer, lonely: Installation
) -> None:
    transaction, buyer = lonely.open(), lonely.people["buyer"]
    server_of_ones_own.stop()
    for ask in (lambda: buyer.post(f"{T}/{transaction}/cancel"), lambda: buyer.get(T)):
        answer = in_time(ask)
        assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json"), answer.text
        assert int(answer.headers["Retry-After"]) >= 1
    ops = f"{lonely.base_url}/api/v1/ops"
    assert WIRE.get(f"{ops}/liveness").status_code == 200
    assert WIRE.get(f"{ops}/readiness").status_code == 503
    assert WIRE.get(f"{ops}/health").json()["status"] == "unavailable"
    assert "escrow_db_errors_total 0.0" not in WIRE.get(f"{lonely.base_url}/metrics").text
    server_of_ones_own.start()
    wait_until(lambda: WIRE.get(f"{ops}/readiness").status_code == 200)
    wait_until(lambda: buyer.post(f"{T}/{transaction}/cancel").status_code == 200)
    assert lonely.view(transaction)["state"] == "cancelled"


def in_time(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer, which comes as soon as it should in one of a few tries."""
    waited: list[float] = []
    while not waited or waited[-1] > LONGEST_SECONDS:
        assert len(waited) < TRIES, waited
        began = time.monotonic()
        answer = ask()
        waited.append(time.monotonic() - began)
    return answer


@pytest.mark.guarantee("G18", faults="COMMIT fails when everything else went well")
def test_a_commit_that_fails_is_never_a_success(fresh: Installation) -> None:
    """A deferred constraint fails at COMMIT, when everything else has gone well."""
    transaction = fresh.open()
    answer, is_written = cancel_with_a_failing_commit(fresh, transaction)
    assert (answer.status_code, answer.json()["code"]) == (500, "append_failed")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "at the last moment" not in answer.text
    assert not is_written
    with psycopg.connect(fresh.superuser_dsn, autocommit=True) as owner:
        owner.execute("DROP TRIGGER fail_at_commit ON escrow_events")
    assert fresh.people["buyer"].post(f"{T}/{transaction}/cancel").status_code == 200


@pytest.mark.guarantee("G18", planted="the answer goes out before the commit, which fails")
def test_a_success_that_is_told_before_the_commit_is_found(fresh: Installation) -> None:
    transaction, written = fresh.open(), fresh.written()
    fresh.dependencies.escrow._appender._writer = AcknowledgesFirst(fresh.app_dsn)
    answer, _ = cancel_with_a_failing_commit(fresh, transaction)
    time.sleep(0.2)  # the commit follows the answer, and fails
    assert (answer.status_code, fresh.written()) == (200, written), "the planted bug was not found"


def cancel_with_a_failing_commit(fresh: Installation, transaction: str) -> tuple[httpx.Response, bool]:
    """The answer, and whether anything stands in the log."""
    written = fresh.written()
    with psycopg.connect(fresh.superuser_dsn, autocommit=True) as owner:
        owner.execute(FAIL_AT_COMMIT)
    answer = fresh.people["buyer"].post(f"{T}/{transaction}/cancel")
    return answer, fresh.written() != written


FAIL_AT_COMMIT = """
CREATE FUNCTION fail_at_commit() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'at the last moment'; END $$;
CREATE CONSTRAINT TRIGGER fail_at_commit AFTER INSERT ON escrow_events
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail_at_commit();
"""


def test_a_client_that_goes_away_leaves_a_whole_command_or_none(fresh: Installation) -> None:
    buyer, listing = fresh.people["buyer"], fresh.list_account()
    headers = {"Authorization": f"Bearer {buyer.token}", "Idempotency-Key": str(uuid4())}
    body = json.dumps({"listing_id": listing}).encode()
    with dial(fresh.base_url) as gone:
        gone.sendall(raw_request(f"POST {T}", body, **headers, Content_Type="application/json"))

    def retry() -> httpx.Response:
        return WIRE.post(f"{fresh.base_url}{T}", json={"listing_id": listing}, headers=headers)

    # 409 while the first request is still running: then its answer.
    wait_until(lambda: retry().status_code == 201)
    assert retry().content == retry().content


@pytest.mark.guarantee("G18", faults="the log is locked")
def test_a_locked_log_makes_commands_wait_and_then_refuses(fresh: Installation) -> None:
    transaction, buyer = fresh.open(), fresh.people["buyer"]
    let_go = threading.Event()
    held = threading.Event()

    def hold() -> None:
        with psycopg.connect(fresh.superuser_dsn) as connection:
            connection.execute("LOCK TABLE escrow_events IN ACCESS EXCLUSIVE MODE")
            held.set()
            let_go.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(5)
    answer = buyer.post(f"{T}/{transaction}/cancel", key=f"cancel-{transaction}")
    let_go.set()
    holder.join()
    assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
    wait_until(lambda: buyer.post(f"{T}/{transaction}/cancel", key=f"cancel-{transaction}").status_code == 200)
