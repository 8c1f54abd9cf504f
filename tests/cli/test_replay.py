"""What `escrow replay` reads and says."""

from datetime import UTC, datetime

import pytest

from cli.run.replay import PointUnreadable, parse_point, print_findings, who
from replay.finding import Finding, FindingKind

NAMELESS = 2_000_012_345


def test_a_point_of_the_past_is_a_position_or_a_time_with_its_offset() -> None:
    assert parse_point("120934") == 120_934
    assert parse_point("2026-11-01T03:00:00.5+03:00") == datetime(2026, 11, 1, 0, 0, 0, 500_000, UTC)


@pytest.mark.parametrize(
    "text", ["", "007", "²", "9" * 5000, "2026-11-01", "2026-11-01T00:00:00", "0001-01-01T00:00:00+14:00"]
)
def test_what_no_point_is_spelt_like_is_wrong_usage(text: str) -> None:
    with pytest.raises(PointUnreadable):
        parse_point(text)


def test_whoever_has_no_name_on_this_machine_is_recorded_by_his_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: NAMELESS)
    assert who() == f"command-line:uid {NAMELESS}"


def test_a_damaged_value_does_nothing_to_the_terminal_and_makes_no_line_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hidden = "1\x1b[2K\x1b[1A\neverything is what the log says"
    print_findings([Finding(FindingKind.VALUE_DIFFERS, table="transactions", column="held_minor", found=hidden)])
    (line,) = capsys.readouterr().out.splitlines()
    assert "\x1b" not in line
    assert line.endswith("found 1\\x1b[2K\\x1b[1A\\neverything is what the log says")
