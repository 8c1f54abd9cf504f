"""How far the read models are."""

from collections.abc import Sequence
from typing import NamedTuple

from database.connect import Pool
from database.queries import load
from projections.page import fetch_one

SQL = load("projections", "reached.sql")


class Reached(NamedTuple):
    """A position of the log."""

    position: int


async def get_reached(pool: Pool, names: Sequence[str] = ()) -> int:
    """Return the position up to which these read models, or all of them, are complete."""
    found = await fetch_one(pool, Reached, SQL.get_reached, {"names": list(names)})
    return found.position if found else 0
