"""Keep below Paystack's rate limits, which it does not publish; the figures are those others observed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum

from gateways.errors import GatewayThrottled

Sleep = Callable[[float], Awaitable[None]]


class Budget(StrEnum):
    """Calls that share one limit."""

    READ = "read"
    WRITE = "write"
    TRANSFER = "transfer"
    REFUND = "refund"


OBSERVED_PER_MINUTE: Mapping[Budget, int] = {
    Budget.READ: 600,
    Budget.WRITE: 300,
    Budget.TRANSFER: 60,
    Budget.REFUND: 60,
}
UNLIMITED_PER_MINUTE: Mapping[Budget, int] = dict.fromkeys(Budget, 60_000_000)
_BURST_SECONDS = 10


class Limiter:
    """A leaky bucket per budget: ten seconds' worth at once, then evenly spaced. For one event loop."""

    def __init__(
        self,
        per_minute: Mapping[Budget, int] = OBSERVED_PER_MINUTE,
        *,
        max_wait_seconds: float = 5.0,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Wait at most `max_wait_seconds` for a turn; beyond that the caller is told to come back."""
        self._spacing = {budget: 60 / rate for budget, rate in per_minute.items()}
        self._next_at: dict[Budget, float] = {}
        self._paused_until: dict[Budget, float] = {}
        self._max_wait_seconds = max_wait_seconds
        self._monotonic = monotonic
        self._sleep = sleep

    async def take(self, budget: Budget) -> None:
        """Wait for a turn; raise `GatewayThrottled`, having called nobody, if that would be too long.

        A turn that falls into a pause which began while it was waited for is not one: another is waited for, spaced.
        """
        asked_at = self._monotonic()
        due_at = await self._wait_for_turn(budget, asked_at)
        while due_at < self._paused_until.get(budget, due_at):
            due_at = await self._wait_for_turn(budget, asked_at)

    def pause(self, budget: Budget, seconds: float) -> None:
        """Let no call of this budget through for so long: Paystack said so with a 429."""
        until = max(self._paused_until.get(budget, 0.0), self._monotonic() + seconds)
        self._paused_until[budget] = until
        self._next_at[budget] = max(self._next_at.get(budget, 0.0), until)

    async def _wait_for_turn(self, budget: Budget, asked_at: float) -> float:
        now = self._monotonic()
        due_at = max(self._next_at.get(budget, now - _BURST_SECONDS), now - _BURST_SECONDS)
        if due_at - asked_at > self._max_wait_seconds:
            raise GatewayThrottled(due_at - now, "our own limiter")
        self._next_at[budget] = due_at + self._spacing[budget]
        if due_at > now:
            await self._sleep(due_at - now)
        return due_at
