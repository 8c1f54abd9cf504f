"""Clients that put money into purses and take it out, and write down in the outside journal what they were told."""

import asyncio
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from psycopg import OperationalError

from database.errors import DatabaseUnavailable
from domain.command import Command
from domain.errors import Overloaded, Refused, StillRunning, VersionConflict
from eventstore.escrow import Escrow
from eventstore.proposal import OutcomeUnknown
from tests.eventstore.running import digest, request
from tests.eventstore.toys import OpenPurse, Purse, PutIn, TakeOut
from tests.faults.journal import Journal

CHECKER = Path(__file__).with_name("checker.py")
# The API answers 503 to a connection that broke while it read, as to all of these but a conflict.
PERHAPS = (DatabaseUnavailable, OperationalError, OutcomeUnknown, Overloaded, StillRunning, VersionConflict)
PAUSE_SECONDS = 0.03


class Clients:
    """Clients of one or several escrows; `run` until `stop` is set."""

    def __init__(self, escrows: Sequence[Escrow], journal: Journal, *, purses: int = 4, seed: int = 1) -> None:
        self.escrows = escrows
        self.journal = journal
        self.random = random.Random(seed)
        self.purses: list[uuid.UUID] = [uuid.uuid4() for _ in range(purses)]
        self.stopping = asyncio.Event()
        self.numbers = count(1)
        self.sends_twice = False

    async def open(self) -> None:
        """The purses that all clients share."""
        for purse in self.purses:
            await self.escrows[0].execute(purse, OpenPurse(), request())

    async def run(self, clients: int) -> None:
        """So many clients at once, until `stopping` is set; each finishes what it has begun."""
        await asyncio.gather(*[self._act(number) for number in range(clients)])

    async def _act(self, client: int) -> None:
        escrow = self.escrows[client % len(self.escrows)]
        while not self.stopping.is_set():
            purse = self.random.choice(self.purses)
            amount = self.random.randrange(1, 100)
            kind = self.random.random()
            if kind < 0.1:
                await self._look(escrow, purse)
                continue
            number = next(self.numbers)
            command = PutIn(amount_minor=amount) if kind < 0.55 else TakeOut(amount_minor=amount)
            await self.send(escrow, purse, command, f"{client}-{number}")
            if self.sends_twice:
                await self.send(escrow, purse, command, f"{client}-{number}")

    async def _look(self, escrow: Escrow, purse: uuid.UUID) -> None:
        began = time.monotonic_ns()
        try:
            seen = await escrow.get(Purse, purse)
        except PERHAPS:
            return
        self.journal.read(str(purse), seen.held_minor, began)

    async def send(self, escrow: Escrow, purse: uuid.UUID, command: Command[Purse], key: str) -> None:
        """With the same key until the outcome is known."""
        asked = request(key)
        name = asked.command_id.hex()
        while True:
            self.journal.invoke(name)
            try:
                result = await escrow.execute(purse, command, asked)
            except Refused:
                self.journal.complete(name, "rejected")
                return
            except PERHAPS:
                self.journal.complete(name, "unknown")
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                balance, position = result.aggregate.held_minor, result.position
                self.journal.complete(name, "acked", stream=str(purse), balance=balance, position=position)
                return


def run_checker(journal: Path, dsn: str) -> list[str]:
    """What the checker has to say; it runs as a program of its own."""
    command = [sys.executable, str(CHECKER), str(journal), dsn]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode in (0, 3), done.stderr
    assert (done.returncode == 3) == bool(done.stdout), done.stdout
    return done.stdout.splitlines()


def rules_broken(journal: Path, dsn: str) -> set[str]:
    """The first words of the violations."""
    return {line.partition(":")[0] for line in run_checker(journal, dsn)}


def command_of(key: str) -> str:
    """As `request` makes it."""
    return digest(key).hex()
