"""What `escrow replay` reads and says."""

from datetime import UTC, datetime

import pytest

from cli.run.replay import PointUnreadable, parse_point


def test_a_point_of_the_past_is_a_position_or_a_time_with_its_offset() -> None:
    assert parse_point("120934") == 120_934
    assert parse_point("2026-11-01T03:00:00.5+03:00") == datetime(2026, 11, 1, 0, 0, 0, 500_000, UTC)


@pytest.mark.parametrize(
    "text", ["", "007", "²", "9" * 5000, "2026-11-01", "2026-11-01T00:00:00", "0001-01-01T00:00:00+14:00"]
)
def test_what_no_point_is_spelt_like_is_wrong_usage(text: str) -> None:
    with pytest.raises(PointUnreadable):
        parse_point(text)
