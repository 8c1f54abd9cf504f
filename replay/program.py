"""Which program folds: half-filled tables are only worth continuing by the one that began them."""

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

FOLDING_ROOMS = ("domain", "eventstore", "projections")


@cache
def program_digest() -> str:
    """SHA-256 over the sources that decide what a fold gives."""
    digest = sha256()
    for room in FOLDING_ROOMS:
        _add(digest.update, files(room), room)
    return digest.hexdigest()


def _add(update: Callable[[bytes], None], folder: Traversable, path: str) -> None:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            _add(update, entry, f"{path}/{entry.name}")
        elif entry.name.endswith((".py", ".sql")):
            content = entry.read_bytes()
            update(f"{path}/{entry.name}:{len(content)}:".encode() + content)
