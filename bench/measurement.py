"""What was measured: ours beside its yardstick, the ratio of the two, and what is to be reached."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One row of the report. `reach` is what the ratio must reach, or must not exceed where `at_most`."""

    name: str
    ours: float
    yardstick: float
    ratio: float
    reach: float
    unit: str
    conditions: str
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether it is fast enough."""
        return self.ratio <= self.reach if self.at_most else self.ratio >= self.reach

    def to_json(self) -> dict[str, object]:
        """As in `bench/latest.json`."""
        return {
            "ours": _round(self.ours),
            "yardstick": _round(self.yardstick),
            "ratio": round(self.ratio, 3),
            "reach": self.reach,
            "at_most": self.at_most,
            "met": self.met,
            "unit": self.unit,
            "conditions": self.conditions,
        }


def compare(
    name: str, ours: Sequence[float], yardstick: Sequence[float], *, reach: float, unit: str, conditions: str
) -> Measurement:
    """Compare rates that were measured in turn: the ratio is the median of the ratios of the rounds."""
    ratios = [mine / theirs for mine, theirs in zip(ours, yardstick, strict=True)]
    spread = f"{len(ratios)} rounds in turn, ratios {min(ratios):.3g} to {max(ratios):.3g}"
    return Measurement(
        name=name,
        ours=median(ours),
        yardstick=median(yardstick),
        ratio=median(ratios),
        reach=reach,
        unit=unit,
        conditions=f"{conditions}; {spread}",
    )


def limit(name: str, ours: float, yardstick: float, *, reach: float, unit: str, conditions: str) -> Measurement:
    """Something that is better when smaller: ours in parts of the yardstick must not exceed `reach`."""
    return Measurement(
        name=name,
        ours=ours,
        yardstick=yardstick,
        ratio=ours / yardstick,
        reach=reach,
        unit=unit,
        conditions=conditions,
        at_most=True,
    )


def format_table(measurements: Iterable[Measurement]) -> str:
    """The report for people."""
    rows = [("work", "ours", "yardstick", "unit", "ratio", "reach", "met")]
    rows += [_format(measurement) for measurement in measurements]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def write_json(path: Path, measurements: Iterable[Measurement]) -> None:
    """Replace what was measured again; a run of one measurement keeps the others."""
    known: dict[str, object] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known.update({measurement.name: measurement.to_json() for measurement in measurements})
    path.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _format(measurement: Measurement) -> tuple[str, ...]:
    sign = "<=" if measurement.at_most else ">="
    return (
        measurement.name,
        f"{_round(measurement.ours):,}",
        f"{_round(measurement.yardstick):,}",
        measurement.unit,
        f"{measurement.ratio:.3g}",
        f"{sign} {measurement.reach:g}",
        "yes" if measurement.met else "NO",
    )


def _round(number: float) -> float:
    return round(number) if abs(number) >= 100 else round(number, 4)
