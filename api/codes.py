"""One-time codes as the alerts count them: how many were sent, and what became of them."""

from collections.abc import Generator
from contextlib import contextmanager

from api.dependencies import Dependencies
from api.metrics import EMAIL, SMS
from domain.errors import EscrowError
from identity.email_code import CodeExpired, CodeRefused, SendCode


def mailer_of_codes(dependencies: Dependencies) -> SendCode:
    """Return what sends a code by mail and counts it."""
    return _counted(dependencies, dependencies.send_code, EMAIL)


def texter_of_codes(dependencies: Dependencies) -> SendCode:
    """Return what sends a code by SMS and counts it."""
    return _counted(dependencies, dependencies.text_code, SMS)


def _counted(dependencies: Dependencies, send: SendCode, channel: str) -> SendCode:
    codes = dependencies.metrics.messages.codes

    async def send_code(address: str, code: str) -> None:
        try:
            await send(address, code)
        except EscrowError:
            codes.labels(channel, "undelivered").inc()
            raise
        codes.labels(channel, "sent").inc()

    return send_code


@contextmanager
def counting_code(dependencies: Dependencies, channel: str) -> Generator[None]:
    """Count what the block makes of a code that somebody typed; anything but a refusal of it counts as good."""
    codes = dependencies.metrics.messages.codes
    try:
        yield
    except CodeExpired:
        codes.labels(channel, "expired").inc()
        raise
    except CodeRefused:
        codes.labels(channel, "failed").inc()
        raise
    codes.labels(channel, "verified").inc()
