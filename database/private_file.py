"""Files that only the user who runs the program may read: whole or not at all, and durable."""

import os
from pathlib import Path
from tempfile import mkstemp


def write_private_file(path: Path, content: bytes) -> None:
    """Write with mode 0600, durable and whole or not at all. Raises FileExistsError rather than touch what is there."""
    # A full temporary file is linked to its name, which fails where one exists.
    temporary = _write_beside(path, content)
    try:
        os.link(temporary, path)
    finally:
        temporary.unlink()
    _sync_folder(path)


def replace_private_file(path: Path, content: bytes) -> None:
    """Put a whole file of mode 0600 in the place of another: after a crash it is the old one or the new."""
    temporary = _write_beside(path, content)
    try:
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path)


def _write_beside(path: Path, content: bytes) -> Path:
    """Under a name that nothing has, so that what a crash has left behind is in nobody's way."""
    descriptor, name = mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        temporary.unlink()
        raise
    return temporary


def _sync_folder(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
