"""Write evidence to the address that Paystack signed: another host, which must never see our key."""

import asyncio
from urllib.parse import SplitResult, urlsplit

import httpx

from domain.loopback import LOOPBACK
from gateways.chargeback import Upload
from gateways.errors import GatewayError, GatewayRefused, GatewayUnavailable, GatewayUncertain
from gateways.paystack.http import NEVER_SENT, PaystackHttp

MEDIA_TYPES = frozenset({"application/pdf", "image/jpeg"})
MAX_BYTES = 10 * 1024 * 1024


async def put(http: PaystackHttp, target: Upload, content: bytes, media_type: str) -> None:
    """PUT the file, once, following no redirect; the answer's body is not read. Doing it again replaces the file.

    Raises `GatewayRefused` for an address that is not https (a stand-in on this machine aside), for what is no PDF or
    JPEG of up to 10 MiB, and for an address that has run out.
    """
    if media_type not in MEDIA_TYPES or not 0 < len(content) <= MAX_BYTES:
        raise GatewayRefused("evidence is a PDF or JPEG of up to 10 MiB")
    if not _is_safe(target.signed_url, is_local=http.is_local):
        raise GatewayRefused("an address for uploads that is not https")
    answer = await _send(http, target.signed_url, content, media_type)
    if isinstance(answer, GatewayError):
        raise answer
    _require_success(answer)


async def _send(http: PaystackHttp, address: str, content: bytes, media_type: str) -> int | GatewayError:
    """Return the status, or the error instead of raising it: httpx's own carries the address, which is a secret."""
    timeouts, transport = http.timeouts, http.transport
    limits = httpx.Timeout(timeouts.read_seconds, connect=timeouts.connect_seconds)
    headers = {"Content-Type": media_type}
    try:
        async with (
            asyncio.timeout(timeouts.total_seconds),
            httpx.AsyncClient(timeout=limits, trust_env=False, follow_redirects=False, transport=transport) as client,
            client.stream("PUT", address, content=content, headers=headers) as response,
        ):
            return response.status_code
    except NEVER_SENT as error:
        return GatewayUnavailable(type(error).__name__)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        return GatewayUncertain(type(error).__name__)


def _require_success(status: int) -> None:
    match status // 100:
        case 2:
            return
        case 4:
            raise GatewayRefused("the upload was refused; ask for another address", http_status=status)
        case _:
            raise GatewayUncertain("the upload may not have arrived", http_status=status)


def _is_safe(address: str, *, is_local: bool) -> bool:
    try:
        parts = urlsplit(address)
        return _is_elsewhere(parts) or (is_local and parts.scheme == "http" and parts.hostname in LOOPBACK)
    except ValueError:
        return False


def _is_elsewhere(parts: SplitResult) -> bool:
    has_user = parts.username is not None or parts.password is not None
    return parts.scheme == "https" and bool(parts.hostname) and parts.hostname not in LOOPBACK and not has_user
