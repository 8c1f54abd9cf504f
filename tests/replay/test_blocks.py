"""Which positions are missing is found without listing them."""

import tracemalloc

import pytest

from replay.blocks import Positions

FAR = 8_000_000


@pytest.mark.parametrize(
    ("seen", "gaps"),
    [
        ([], []),
        ([1], []),
        ([1, 2, 3], []),
        ([3], [(1, 2)]),
        ([7, 2, 3], [(1, 1), (4, 6)]),
        ([1, 3, 5], [(2, 2), (4, 4)]),
    ],
)
def test_each_run_of_positions_that_was_not_seen_is_a_gap(seen: list[int], gaps: list[tuple[int, int]]) -> None:
    positions = Positions(10)
    positions.add(seen)
    assert list(positions.gaps()) == gaps
    assert positions.highest == max(seen, default=0)


def test_a_wide_gap_takes_no_memory_beside_the_byte_for_each_position() -> None:
    positions = Positions(FAR)
    positions.add([1, FAR])
    tracemalloc.start()
    try:
        gaps = list(positions.gaps())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert gaps == [(2, FAR - 1)]
    assert most < 1_000_000
