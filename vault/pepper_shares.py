"""The pepper file in three shares, of which two give it back and one says nothing: for three people or three places.

A share has four lines: `escrow-pepper-share-v1`; the name of the set, 16 hexadecimal digits; `share n of 3, 2 needed`;
the share in base64. What is shared is the SHA-256 of the file and the file, so that two shares of different sets, or a
damaged one, are noticed.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from domain.ids import RandomBytes
from vault.pepper import PepperError
from vault.shamir import combine, split

HEADER = "escrow-pepper-share-v1"
SHARES = 3
NEEDED = 2
SET_BYTES = 8
CHECK_BYTES = 32
FORM = re.compile(
    rf"{HEADER}\n([0-9a-f]{{16}})\nshare ([1-{SHARES}]) of {SHARES}, {NEEDED} needed\n([A-Za-z0-9+/]+={{0,2}})\n",
    re.ASCII,
)


class ShareUnreadable(PepperError):
    """This is no share of a pepper, or it was damaged."""

    code = "pepper_share_unreadable"


class SharesUnfit(PepperError):
    """Two different shares of the same set are needed, undamaged."""

    code = "pepper_shares_unfit"


class Share(NamedTuple):
    """One of three; `part` alone says nothing but how long the file is."""

    set_name: str
    number: int
    part: bytes


def is_share(content: bytes) -> bool:
    """Whether this begins like a share."""
    return content.startswith(f"{HEADER}\n".encode())


def make_shares(pepper_file: bytes, random_bytes: RandomBytes) -> list[bytes]:
    """Return three shares of a pepper file, any two of which give it back."""
    set_name = random_bytes(SET_BYTES).hex()
    secret = sha256(pepper_file).digest() + pepper_file
    parts = split(secret, shares=SHARES, needed=NEEDED, random_bytes=random_bytes)
    return [_write(Share(set_name, number, part)) for number, part in parts.items()]


def _write(share: Share) -> bytes:
    encoded = base64.b64encode(share.part).decode()
    return f"{HEADER}\n{share.set_name}\nshare {share.number} of {SHARES}, {NEEDED} needed\n{encoded}\n".encode()


def join_shares(contents: Sequence[bytes]) -> bytes:
    """Return the pepper file. Raises ShareUnreadable, SharesUnfit."""
    shares = [_read(content) for content in contents]
    parts = {share.number: share.part for share in shares}
    if len(parts) < NEEDED or len({share.set_name for share in shares}) != 1:
        raise SharesUnfit
    if len({len(part) for part in parts.values()}) != 1:
        raise SharesUnfit
    secret = combine(parts)
    check, pepper_file = secret[:CHECK_BYTES], secret[CHECK_BYTES:]
    if not hmac.compare_digest(sha256(pepper_file).digest(), check):
        raise SharesUnfit
    return pepper_file


def _read(content: bytes) -> Share:
    found = FORM.fullmatch(content.decode("ascii", errors="replace"))
    try:
        part = base64.b64decode(found[3], validate=True) if found else b""
    except binascii.Error:
        raise ShareUnreadable from None
    if found is None or len(part) <= CHECK_BYTES:
        raise ShareUnreadable
    return Share(found[1], int(found[2]), part)
