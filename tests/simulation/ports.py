"""Where a process meets the outside: each crossing is a place where it can die, or be overtaken by everybody else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from database.connect import Pool
from domain.ids import Clock
from eventstore.appender import Appender
from eventstore.escrow import Escrow
from gateways.payment import PaymentGateway
from reactions.toolbox import Toolbox
from reactions.worker import Worker
from tests.killed import Killed
from tests.permit import always

ASK_TRANSFERS_FOR = timedelta(days=1000)
"""Longer than any world lives: a payout may be taken back at any time, and then nothing but asking tells of it."""


class Fuse:
    """Counts crossings; at the one that is set the process dies there, or pauses there until it is resumed."""

    def __init__(self) -> None:
        self.is_dead = False
        self.crossings = 0
        self._kill_at: int | None = None
        self._pause_at: int | None = None
        self.paused = asyncio.Event()
        self._go_on = asyncio.Event()

    def kill_after(self, crossings: int) -> None:
        self._kill_at = self.crossings + crossings

    def pause_after(self, calls: int) -> None:
        self._pause_at = calls

    def disarm(self) -> None:
        self._kill_at = self._pause_at = None

    def resume(self) -> None:
        self.paused.clear()
        self._go_on.set()

    def cross(self) -> None:
        """Die here if this is the place."""
        self.crossings += 1
        if self.is_dead or (self._kill_at is not None and self.crossings >= self._kill_at):
            self.is_dead = True
            raise Killed

    async def call(self) -> None:
        """A crossing that takes so long that others come first."""
        self.cross()
        if self._pause_at is None:
            return
        self._pause_at -= 1
        if self._pause_at <= 0:
            self._pause_at = None
            self._go_on.clear()
            self.paused.set()
            await self._go_on.wait()
            self.cross()


class PoolPort:
    """The database, for questions and inputs."""

    def __init__(self, pool: Pool, fuse: Fuse) -> None:
        self._pool, self._fuse = pool, fuse

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[object]:
        self._fuse.cross()
        async with self._pool.connection() as connection:
            yield connection


class AppenderPort:
    """The log: the process can die before an append, or after it, when only the log knows."""

    def __init__(self, appender: Appender, fuse: Fuse) -> None:
        self._appender, self._fuse = appender, fuse

    async def append(self, proposal: object) -> object:
        self._fuse.cross()
        outcome = await self._appender.append(proposal)
        self._fuse.cross()
        return outcome


class GatewayPort:
    """The processor: the process can die or be overtaken before a call, or before it has read the answer."""

    def __init__(self, gateway: PaymentGateway, fuse: Fuse) -> None:
        self._gateway, self._fuse = gateway, fuse

    def __getattr__(self, name: str) -> object:
        real = getattr(self._gateway, name)
        if not asyncio.iscoroutinefunction(real):
            return real

        async def call(*arguments: object, **named: object) -> object:
            await self._fuse.call()
            answer = await real(*arguments, **named)
            await self._fuse.call()
            return answer

        return call


class Process:
    """One process of the product, with its own memory: the real `Escrow`, `Toolbox` and `Worker` behind ports."""

    def __init__(
        self, pool: Pool, appender: Appender, gateway: PaymentGateway, clock: Clock, ids: Callable[[], UUID]
    ) -> None:
        self._outside = pool, appender, gateway, clock, ids
        self.start()

    def start(self) -> None:
        """Start with an empty memory, also after a kill."""
        pool, appender, gateway, clock, ids = self._outside
        self.fuse = Fuse()
        port = PoolPort(pool, self.fuse)
        self.escrow = Escrow(port, AppenderPort(appender, self.fuse), clock, ids)
        self.tools = Toolbox(
            escrow=self.escrow, pool=port, gateway=GatewayPort(gateway, self.fuse), clock=clock, permit=always
        )
        self.worker = Worker(self.tools, "", ask_transfers_for=ASK_TRANSFERS_FOR)
