"""The rooms of the product: the packages between which pyproject.toml rules who may import whom."""

import tomllib
from pathlib import Path
from typing import cast

ROOT = Path(__file__).parent.parent


def read_pyproject() -> dict[str, dict[str, dict[str, object]]]:
    """Return pyproject.toml."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


ROOMS = tuple(cast("list[str]", read_pyproject()["tool"]["importlinter"]["root_packages"]))
