"""The clock of the machine."""

from datetime import UTC, datetime


def read_clock() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)
