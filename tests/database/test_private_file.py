"""A private file is there whole or not at all, whatever a crash has left beside it."""

import os
import stat
from pathlib import Path

import pytest

from database.private_file import replace_private_file, write_private_file


def test_nothing_is_written_over_a_file(tmp_path: Path):
    path = tmp_path / "pepper"
    write_private_file(path, b"something")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        write_private_file(path, b"something else")
    assert path.read_bytes() == b"something"
    assert list(tmp_path.iterdir()) == [path]


def test_what_replaces_a_file_is_as_private(tmp_path: Path):
    path = tmp_path / "pepper"
    path.write_bytes(b"something")
    replace_private_file(path, b"something else")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b"something else"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_crash_has_left_behind_is_in_nobodys_way(tmp_path: Path):
    """In a container the program has the same number after every start."""
    path = tmp_path / "pepper"
    (tmp_path / f"pepper.{os.getpid()}.new").write_bytes(b"half of someth")
    write_private_file(path, b"something")
    replace_private_file(path, b"something else")
    assert path.read_bytes() == b"something else"
