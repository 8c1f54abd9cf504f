"""Reasons: what staff write down when they act; part of the record for ever."""

from domain.errors import Invalid
from domain.text import is_visible

REASON_MIN_LENGTH = 10
REASON_MAX_LENGTH = 2000


class ReasonTooShort(Invalid):
    """A reason of 10 to 2000 characters is required; do not name people in it: it stands in the log for ever."""

    code = "reason_too_short"


def require_reason(reason: str) -> None:
    """Raise `ReasonTooShort` unless the text can be seen, and has 10 to 2000 characters, 10 without space around."""
    fits = len(reason.strip()) >= REASON_MIN_LENGTH and len(reason) <= REASON_MAX_LENGTH
    if not fits or not is_visible(reason):
        raise ReasonTooShort
