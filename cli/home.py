"""What lies in ESCROW_HOME beside the database and the files of people."""

import secrets
from contextlib import suppress
from pathlib import Path

from database.private_file import write_private_file

DEMO_FILE = "demo.json"
"""The demo's addresses and logins; they are there while, and after, a demo has run in this home."""
KEY_FILE = "paystack-key"


def message_folder(home: Path) -> Path:
    """Return where messages are kept that have nowhere else to go."""
    return home / "mail"


def make_secret_file(home: Path) -> Path:
    """Return the file with the stand-in's key, made with a random one when it is missing."""
    file = home / KEY_FILE
    if not file.exists():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):  # somebody was quicker, and his is the key
            write_private_file(file, f"sk_test_{secrets.token_hex(20)}".encode())
    return file
