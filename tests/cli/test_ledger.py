"""`escrow ledger`: the books of today and of any position or time of the past."""

import csv
import json

import psycopg
from typer.testing import CliRunner

from cli.main import app
from cli.run.ledger import describe_cover
from tests.running_demo import Demo


def read(demo: Demo, *words: str) -> dict[str, object]:
    done = demo.escrow("ledger", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def half_way(demo: Demo) -> tuple[int, str]:
    """The last position of a commit in the middle of the log, and when that was: its events share the moment."""
    with psycopg.connect(demo.facts["dsn"]["auditor"]) as connection:
        row = connection.execute(
            """SELECT max(position), recorded_at FROM event_log
            WHERE recorded_at = (
                SELECT recorded_at FROM event_log WHERE position = (SELECT max(position) / 2 FROM event_log)
            )
            GROUP BY recorded_at"""
        ).fetchone()
    assert row is not None
    return row[0], row[1].isoformat()


def test_the_books_of_the_past_are_sound_and_smaller(demo: Demo) -> None:
    position, _ = half_way(demo)
    past, present = read(demo, "trial-balance", "--as-of", str(position)), read(demo, "trial-balance")
    assert past["sound"] is present["sound"] is True
    assert sum(row["entries"] for row in past["accounts"]) < sum(row["entries"] for row in present["accounts"])
    assert max(row["position"] for row in past["accounts"]) <= position


def test_a_time_names_the_last_position_recorded_up_to_then(demo: Demo) -> None:
    position, at = half_way(demo)
    assert (
        read(demo, "trial-balance", "--as-of", at)["accounts"]
        == (read(demo, "trial-balance", "--as-of", str(position))["accounts"])
    )


def test_a_position_or_time_that_is_not_there_yet_is_wrong_usage(demo: Demo) -> None:
    for future in (str(10**12), "2999-01-01T00:00:00Z", "yesterday", "2026-01-01T00:00:00"):
        assert demo.escrow("ledger", "trial-balance", "--as-of", future).returncode == 2, future


def test_an_account_ends_with_its_balance_of_the_trial_balance(demo: Demo) -> None:
    # In this process: there are twenty accounts, and a process of its own for each takes a second.
    runner = CliRunner(env=demo.environment)
    rows = read(demo, "trial-balance")["accounts"]
    assert {"escrow:held", "paystack:balance"} <= {row["account"] for row in rows}
    for row in rows:
        words = ["ledger", "account", row["account"], "--currency", row["currency"], "--limit", "1", "--json"]
        found = json.loads(runner.invoke(app, words, catch_exceptions=False).stdout)
        assert found["entries"][-1]["balance_minor"] == row["balance_minor"]


def test_an_account_can_be_read_on_from_any_position(demo: Demo) -> None:
    everything = read(demo, "account", "escrow:held", "--limit", "1000")["entries"]
    middle = everything[len(everything) // 2]["position"]
    rest = read(demo, "account", "escrow:held", "--after", str(middle), "--limit", "1000")["entries"]
    assert rest == [entry for entry in everything if entry["position"] > middle]
    assert demo.escrow("ledger", "account", "unheard:of").returncode == 5


def test_csv_has_whole_minor_units_and_the_currency_beside_them(demo: Demo) -> None:
    done = demo.escrow("ledger", "trial-balance", "--csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert {(row["account"], row["currency"]): int(row["balance_minor"]) for row in rows} == {
        (row["account"], row["currency"]): row["balance_minor"] for row in read(demo, "trial-balance")["accounts"]
    }
    assert demo.escrow("ledger", "trial-balance", "--csv", "--json").returncode == 2


def test_money_that_is_missing_is_not_called_covered() -> None:
    assert describe_cover("KES", 0) == "KES: clients' money is covered with 0 to spare"
    assert describe_cover("KES", -5) == "KES: clients' money is NOT COVERED: 5 are missing"
