"""Every measurement still runs, and gives every figure of the table. How fast it is says nothing here."""

import json
import math
import re
from pathlib import Path

import pytest

from bench.__main__ import LATEST, MEASURES, run
from bench.cluster import open_cluster
from bench.http import make_environment
from bench.measurement import Measurement, format_table, write_json
from bench.size import FULL, QUICK, TINY
from database.settings import Settings

pytestmark = pytest.mark.soak
FIGURES = {re.sub(r"[\d,]+", "N", name) for name in json.loads(LATEST.read_text())}


@pytest.fixture(scope="module")
def measured() -> list[Measurement]:
    """All, on as little as possible."""
    with open_cluster() as cluster:
        return run(cluster, list(MEASURES), TINY)


def test_every_figure_of_the_table_is_there(measured: list[Measurement]) -> None:
    assert {re.sub(r"[\d,]+", "N", measurement.name) for measurement in measured} == FIGURES


def test_every_figure_is_a_number(measured: list[Measurement]) -> None:
    for measurement in measured:
        figures = (measurement.ours, measurement.yardstick, measurement.ratio)
        assert all(math.isfinite(figure) and figure > 0 for figure in figures), measurement
        assert measurement.unit
        assert "fsync on" in measurement.conditions
    assert all(measurement.name in format_table(measured) for measurement in measured)


def test_what_was_measured_replaces_what_was_known(measured: list[Measurement], tmp_path: Path) -> None:
    file = tmp_path / "latest.json"
    file.write_text('{"something else": {}}')
    write_json(file, measured)
    known = json.loads(file.read_text())
    assert known.keys() == {"something else", *(measurement.name for measurement in measured)}
    assert json.dumps(known, allow_nan=False)


def test_the_server_of_the_bench_knows_nothing_of_another_installation(tmp_path: Path) -> None:
    foreign = {name.upper(): "elsewhere" for name in Settings.model_fields} | {"database_url": "elsewhere"}
    environment = make_environment({**foreign, "PATH": "/bin"}, tmp_path)
    assert "elsewhere" not in environment.values()
    assert (environment["PATH"], environment["ESCROW_HOME"]) == ("/bin", str(tmp_path))


def test_what_is_tried_out_is_smaller_than_what_is_measured() -> None:
    for field, number in vars(TINY).items():
        assert number <= getattr(QUICK, field) <= getattr(FULL, field), field
