"""SMS: over an HTTP gateway where one is configured, else into the folder that shows what would have been sent.

The gateway is told one message in JSON: `{"id", "to", "text"}`, the number as E.164 (`+254700000000`). The id also
stands in `Idempotency-Key`, so that a gateway which knows that header sends a repeat only once. Whoever has another
provider puts a few lines of translation between the two.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

import httpx

from gateways.message import MessageRefused, MessageUndelivered, keep_message

TIMEOUT_SECONDS = 10.0
SMS_SUFFIX = ".sms"
FIRST_REFUSAL, LAST_REFUSAL = 400, 499
OUR_FAULT = frozenset({401, 402, 403, 404, 405, 407, 429})
"""These say something of us or of SMS_URL, not of the number: worth another try, and no other message leaves either."""
OF_THE_MOMENT = frozenset({408, 409, 425})
"""These say that this message, now, was not taken: worth another try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms:
    """One short message to one number; `id` stays the same when it is sent again. `repr` shows no personal data."""

    id: UUID
    at: datetime
    phone: str = field(repr=False)
    text: str = field(repr=False)


SendSms = Callable[[Sms], Awaitable[None]]
"""Sends a message. Raises `MessageRefused`, or `MessageUndelivered` when it should be tried again."""


def sms_into_folder(folder: Path) -> SendSms:
    """Return a stand-in that keeps every message in `folder`, readable by its owner alone."""

    async def send(sms: Sms) -> None:
        await asyncio.to_thread(keep_message, folder, sms.at, sms.id, SMS_SUFFIX, json.dumps(body_of(sms)).encode())

    return send


def sms_over_http(url: str, token: str) -> SendSms:
    """Return a sender that POSTs to `url` with `token` as bearer; no redirect is followed, no proxy taken."""
    headers = {"Authorization": f"Bearer {token}"}

    async def send(sms: Sms) -> None:
        named = {**headers, "Idempotency-Key": str(sms.id)}
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                httpx.AsyncClient(trust_env=False, follow_redirects=False) as client,
            ):
                answer = await client.post(url, json=body_of(sms), headers=named)
        except (httpx.HTTPError, TimeoutError) as error:
            raise MessageUndelivered(type(error).__name__) from None
        _require_accepted(answer.status_code)

    return send


def body_of(sms: Sms) -> dict[str, str]:
    """Return what the gateway is told."""
    return {"id": str(sms.id), "to": sms.phone, "text": sms.text}


def _require_accepted(status: int) -> None:
    if status // 100 == 2:  # noqa: PLR2004 - accepted
        return
    is_final = FIRST_REFUSAL <= status <= LAST_REFUSAL and status not in OUR_FAULT | OF_THE_MOMENT
    if is_final:
        raise MessageRefused(str(status))
    raise MessageUndelivered(str(status), concerns_all=status not in OF_THE_MOMENT)
