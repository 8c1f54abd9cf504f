"""Counting deliveries with a wrong signature, without doing a forger's work for him.

A forger who sends a thousand a second is counted a thousand times and written once: the database is for those who pay.
"""

import asyncio
from contextlib import suppress
from datetime import datetime

import psycopg

from database.connect import Pool
from database.errors import DatabaseUnavailable
from database.queries import load
from domain.ids import Clock

SQL = load("reactions", "inbox.sql")
PAUSE_SECONDS = 1.0


class Refusals:
    """A counter that writes at most once a second; what is not yet written is lost with the process."""

    def __init__(self, pause_seconds: float = PAUSE_SECONDS) -> None:
        """Count nothing yet."""
        self._pause_seconds = pause_seconds
        self._unwritten = 0
        self._digest = b""
        self._is_writing = False
        self._writing: asyncio.Task[None] | None = None

    async def count(self, pool: Pool, clock: Clock, digest: bytes) -> None:
        """Count one with the SHA-256 of its body: the first is written at once, those that follow it together."""
        self._unwritten += 1
        self._digest = digest
        if self._is_writing:
            return
        # Said before the first write is awaited: whoever comes meanwhile would write as well.
        self._is_writing = True
        try:
            await self._write(pool, clock())
        except BaseException:
            self._is_writing = False
            raise
        self._writing = asyncio.create_task(self._write_later(pool, clock))

    async def _write_later(self, pool: Pool, clock: Clock) -> None:
        try:
            while True:
                await asyncio.sleep(self._pause_seconds)
                if not self._unwritten:
                    return
                with suppress(psycopg.Error, DatabaseUnavailable):
                    await self._write(pool, clock())
        finally:
            self._is_writing = False

    async def _write(self, pool: Pool, at: datetime) -> None:
        count, self._unwritten = self._unwritten, 0
        try:
            async with pool.connection() as connection:
                await connection.execute(SQL.count_refusals, {"at": at, "refused": count, "body_sha256": self._digest})
        except BaseException:
            self._unwritten += count
            raise
