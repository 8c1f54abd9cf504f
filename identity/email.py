"""What counts as an e-mail address, and when two are the same."""

import unicodedata

from domain.errors import Invalid

LONGEST_EMAIL = 254
"""In bytes of UTF-8 (RFC 5321 §4.5.3.1.3, less the angle brackets)."""
LONGEST_LOCAL_PART = 64


class UnfitEmail(Invalid):
    """This is not an e-mail address."""

    code = "unfit_email"


def normalise_email(text: str) -> str:
    """The one spelling that is stored and looked up: NFKC, folded case, no space around. Raises UnfitEmail."""
    email = unicodedata.normalize("NFKC", text.strip()).casefold()
    local, at, domain = email.rpartition("@")
    has_parts = bool(at and local and domain) and "@" not in local
    if not (has_parts and _is_plain(email) and _fits(email, LONGEST_EMAIL) and _fits(local, LONGEST_LOCAL_PART)):
        raise UnfitEmail
    return email


def _fits(text: str, longest: int) -> bool:
    return len(text.encode()) <= longest


def _is_plain(email: str) -> bool:
    return not any(character.isspace() or unicodedata.category(character)[0] == "C" for character in email)


def is_unusual(email: str) -> bool:
    """Whether an address holds letters that may look like others; it is accepted, and staff see the flag."""
    return not email.isascii()
