"""Opaque tokens: a prefix that tells people and secret scanners what it is, and 32 random bytes."""

import base64
import re
from hashlib import sha256

from domain.ids import RandomBytes

ACCESS = "esc_"
REFRESH = "esr_"
DEVICE = "esd_"
RESET = "esw_"
TOKEN_BYTES = 32
BODY = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def make_token(prefix: str, random_bytes: RandomBytes) -> str:
    """A new token, 47 characters; it is shown once and kept only as its hash."""
    return prefix + base64.urlsafe_b64encode(random_bytes(TOKEN_BYTES)).decode().rstrip("=")


def read_token(prefix: str, token: str) -> bytes | None:
    """The 32 bytes of a token; None for what is no such token."""
    if not (token.startswith(prefix) and BODY.fullmatch(token, len(prefix))):
        return None
    return base64.urlsafe_b64decode(token[len(prefix) :] + "=")


def hash_token(prefix: str, token: str) -> bytes | None:
    """SHA-256 of the token's characters, by which it is stored and found; None for what is no such token.

    No salt and no slow hash: 256 random bits cannot be guessed, and the lookup is on every request's way.
    """
    if read_token(prefix, token) is None:
        return None
    return sha256(token.encode()).digest()
