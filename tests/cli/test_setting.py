"""`escrow setting`: money settings are read and changed, and what does not fit changes nothing."""

import json
from decimal import Decimal

import pytest

from cli.run.setting import in_dollars
from domain.policy import limit_usd_cents
from tests.running_demo import Demo

REASON = "the board decided on the first of the month"


def read(demo: Demo) -> dict[str, tuple[int, bool]]:
    done = demo.escrow("setting", "list", "--json")
    assert done.returncode == 0, done.stderr
    return {row["name"]: (row["value"], row["changed"]) for row in json.loads(done.stdout)["settings"]}


def test_a_setting_is_changed_once_and_stands_in_the_log(demo: Demo) -> None:
    assert read(demo)["four_eyes_above_usd"] == (1000, False)
    change = ("setting", "change", "four_eyes_above_usd", "1000", "--reason", REASON, "--json")
    positions = [json.loads(demo.escrow(*change).stdout)["position"] for _ in range(2)]
    assert positions[0] == positions[1]
    assert read(demo)["four_eyes_above_usd"] == (1000, True)
    (event,) = json.loads(demo.escrow("events", "--after", str(positions[0] - 1), "--limit", "1", "--json").stdout)[
        "events"
    ]
    assert event["type"] == "configuration.setting_changed.v1"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("0.75", "0.75"),
        ("1000.509", "1000.50"),
        ("20.00", "20"),
        ("1E+3", "1000"),
        ("0", "0"),
        ("999.9999999999999999999999999999", "999.99"),
    ],
)
def test_a_limit_is_shown_as_it_holds_to_the_cent(given: str, shown: str) -> None:
    assert str(in_dollars(limit_usd_cents(Decimal(given), None))) == shown


def test_a_limit_that_was_changed_holds_instead_of_the_given_one() -> None:
    assert limit_usd_cents(Decimal("0.75"), 20) == 2000


def test_what_does_not_fit_changes_nothing(demo: Demo) -> None:
    before = read(demo)
    for name, value, reason in (
        ("commission", "800", REASON),
        ("fee_bps", "10001", REASON),
        ("break_glass", "2", REASON),
        ("fee_bps", "800", "short"),
    ):
        assert demo.escrow("setting", "change", name, value, "--reason", reason).returncode == 2, name
    assert read(demo) == before
