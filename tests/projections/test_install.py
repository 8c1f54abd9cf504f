"""Processes that start at the same moment all find their tables, whoever makes them."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from projections.install import install
from projections.registry import PROJECTIONS
from tests.conftest import Database

AT_ONCE, TIMES = 6, 8


def install_at_once(owner_dsn: str) -> list[str]:
    start = Barrier(AT_ONCE)

    def one(_: int) -> list[str]:
        start.wait(10)
        return install(owner_dsn)

    with ThreadPoolExecutor(AT_ONCE) as starters:
        return [name for made in starters.map(one, range(AT_ONCE)) for name in made]


def test_many_that_install_at_once_do_not_disturb_each_other(database: Database) -> None:
    for _ in range(TIMES):
        assert install_at_once(database.owner_dsn) == []


def test_of_many_that_install_at_once_one_makes_each_table(bare_database: Database) -> None:
    assert sorted(install_at_once(bare_database.owner_dsn)) == sorted(projection.name for projection in PROJECTIONS)
