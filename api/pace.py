"""How often a program may ask: a bucket of requests per API key, in this process, that fills again by itself."""

import math
import time
from collections.abc import Callable
from uuid import UUID

from api.errors import TooManyRequests

PER_SECOND = 50.0
AT_ONCE = 200.0
MOST_REMEMBERED = 10_000


class Pace:
    """A key that ran wild takes its own requests, and nobody else's."""

    def __init__(
        self,
        *,
        per_second: float = PER_SECOND,
        at_once: float = AT_ONCE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`at_once` requests go through without a pause, then `per_second`."""
        self._per_second = per_second
        self._at_once = at_once
        self._monotonic = monotonic
        self._full_at: dict[UUID, float] = {}

    def take(self, key_id: UUID) -> None:
        """Count one request. Raises TooManyRequests, which counts nothing."""
        now = self._monotonic()
        full_at = max(self._full_at.get(key_id, now), now) + 1 / self._per_second
        wait = full_at - now - self._at_once / self._per_second
        if wait > 0:
            raise TooManyRequests(retry_after_seconds=max(1, math.ceil(wait)))
        if len(self._full_at) >= MOST_REMEMBERED:
            self._full_at = {key: at for key, at in self._full_at.items() if at > now}
        self._full_at[key_id] = full_at
