"""`escrow vault`: copies of the pepper are made, proved, put back and changed while a demo runs."""

import json
import os
from pathlib import Path

import pytest

from tests.escrow_command import run_escrow
from tests.running_demo import Demo
from vault.pepper import create_pepper
from vault.pepper_backup import make_backup

PASSPHRASE = "correct horse battery staple"
PRECONDITION, REFUSED = 4, 9


@pytest.fixture
def passphrase(tmp_path: Path) -> tuple[str, str]:
    """The option that names the file with the passphrase."""
    file = tmp_path / "passphrase"
    file.write_text(f"{PASSPHRASE}\n")
    return "--passphrase-file", str(file)


def versions(demo: Demo) -> dict[int, int]:
    """How many keys each version of the pepper wraps."""
    rows = json.loads(demo.escrow("vault", "status", "--json").stdout)["versions"]
    return {row["pepper_version"]: row["keys"] for row in rows}


def pepper_of(demo: Demo) -> Path:
    """The file that the demo works with."""
    return Path(json.loads(demo.escrow("vault", "status", "--json").stdout)["pepper_file"])


def test_a_backup_is_proved_and_gives_the_pepper_back(demo: Demo, tmp_path: Path, passphrase: tuple[str, str]) -> None:
    file, restored = tmp_path / "backup", tmp_path / "pepper"
    made = demo.escrow("vault", "pepper", "backup", str(file), *passphrase, "--json")
    assert json.loads(made.stdout) == {"backup": str(file), "opens_versions": len(versions(demo))}
    assert demo.escrow("vault", "pepper", "backup", str(file), *passphrase).returncode == PRECONDITION, "never over one"
    assert demo.escrow("vault", "pepper", "check", str(file), *passphrase).returncode == 0
    elsewhere = {**demo.environment, "ESCROW_PEPPER_FILE": str(restored)}
    put_back = run_escrow(["vault", "pepper", "restore", str(file), *passphrase, "--json"], elsewhere)
    assert json.loads(put_back.stdout)["pepper_file"] == str(restored)
    assert restored.read_bytes() == pepper_of(demo).read_bytes()
    refused = run_escrow(["vault", "pepper", "restore", str(file), *passphrase], elsewhere)
    assert (refused.returncode, refused.stdout) == (PRECONDITION, "")


def test_a_backup_of_another_pepper_is_refused(demo: Demo, tmp_path: Path, passphrase: tuple[str, str]) -> None:
    foreign, file = tmp_path / "foreign", tmp_path / "backup"
    create_pepper(foreign, os.urandom)
    file.write_bytes(make_backup(foreign.read_bytes(), PASSPHRASE, os.urandom))
    checked = demo.escrow("vault", "pepper", "check", str(file), *passphrase)
    assert (checked.returncode, checked.stderr.split(":")[0]) == (REFUSED, "pepper_backup_incomplete")


def test_two_shares_give_the_pepper_back_and_one_does_not(demo: Demo, tmp_path: Path) -> None:
    restored = tmp_path / "pepper"
    split = demo.escrow("vault", "pepper", "split", str(tmp_path / "share"), "--json")
    one, _, three = shares = [str(tmp_path / f"share.{number}") for number in (1, 2, 3)]
    assert json.loads(split.stdout) == {"shares": shares, "opens_versions": len(versions(demo))}
    assert [Path(share).exists() for share in shares] == [True] * 3
    assert demo.escrow("vault", "pepper", "check", one).returncode == PRECONDITION
    elsewhere = {**demo.environment, "ESCROW_PEPPER_FILE": str(restored)}
    assert run_escrow(["vault", "pepper", "restore", one, three], elsewhere).returncode == 0
    assert restored.read_bytes() == pepper_of(demo).read_bytes()


def test_a_file_in_the_way_of_one_share_leaves_no_share_at_all(demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "share.3").write_text("mine")
    done = demo.escrow("vault", "pepper", "split", str(tmp_path / "share"))
    assert (done.returncode, done.stderr.split(":")[0]) == (PRECONDITION, "file_in_the_way")
    assert {file.name for file in tmp_path.iterdir()} == {"share.3"}


def test_a_rotation_wraps_everything_anew_and_the_old_version_is_forgotten_when_asked(demo: Demo) -> None:
    before = versions(demo)
    rotated = json.loads(demo.escrow("vault", "pepper", "rotate", "--json").stdout)
    assert (rotated["version"], rotated["finished"]) == (max(before) + 1, True)
    assert rotated["rows"] > 0
    assert versions(demo) == {rotated["version"]: sum(before.values())}
    assert demo.escrow("vault", "pepper", "forget").returncode == REFUSED, "nobody agreed"
    planned = json.loads(demo.escrow("vault", "pepper", "forget", "--dry-run", "--json").stdout)["forgotten"]
    assert set(before) <= set(planned)
    assert json.loads(demo.escrow("vault", "pepper", "forget", "--yes", "--json").stdout)["forgotten"] == planned
    assert json.loads(demo.escrow("vault", "pepper", "forget", "--dry-run", "--json").stdout)["forgotten"] == []


def test_where_nothing_came_to_life_nothing_is_destroyed_again(demo: Demo) -> None:
    done = json.loads(demo.escrow("vault", "reconcile", "--json").stdout)
    assert done == {"deposits": 0, "deliveries": 0}
