"""What every reaction works with, and how it gives orders to the log."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from database.connect import Pool
from domain.actor import reaction
from domain.aggregate import Aggregate
from domain.command import Command
from domain.errors import NotFound
from domain.ids import Clock
from domain.transaction import Transaction
from eventstore.escrow import Escrow, Request, Result
from eventstore.transcoder import Undecodable
from gateways.bank import BankDirectory
from gateways.bookkeeping import Bookkeeping
from gateways.chargeback import ChargebackDesk
from gateways.payment import PaymentGateway

A = TypeVar("A", bound=Aggregate)


class Processor(PaymentGateway, ChargebackDesk, Bookkeeping, BankDirectory, Protocol):
    """What reactions ask of the processor: to move money, what banks take back, what it lists without being asked about
    anything of ours, and which banks there are."""


Permit = Callable[[], Awaitable[None]]
"""Asked before money is sent: returns when it may be, raises when not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """The log, the database for inputs and read models, the processor, the clock, and the leave to send money.

    `refused_since` is for `reactions.question`: by transaction and reference, forgotten when the process ends.
    """

    escrow: Escrow
    pool: Pool
    gateway: Processor
    clock: Clock
    permit: Permit
    refused_since: dict[tuple[UUID, str], datetime] = field(default_factory=dict[tuple[UUID, str], datetime])


async def order(tools: Toolbox, name: str, stream: A, command: Command[A]) -> Result[A]:
    """Give a command to an aggregate as the reaction `name`; giving it again at the same version is a repeat."""
    return await tools.escrow.execute(stream.id, command, request_of(name, stream.id, stream.version, command))


async def record(tools: Toolbox, name: str, transaction_id: UUID, command: Command[Transaction]) -> bool:
    """Give a command to a transaction as it is by now: to ask the processor took time. True when that changed it."""
    current = await tools.escrow.get(Transaction, transaction_id)
    result = await order(tools, name, current, command)
    return result.aggregate.version != current.version


async def find_readable(escrow: Escrow, transaction_id: UUID) -> Transaction | None:
    """Return a transaction; None for one that the log has lost or that cannot be read: it must hold up no other.

    Whoever watches the read models is told of what cannot be read.
    """
    try:
        return await escrow.get(Transaction, transaction_id)
    except (NotFound, Undecodable):
        return None


def request_of(name: str, stream_id: UUID, version: int, command: object) -> Request:
    """Return the request of a reaction: its identity is what it orders, of which stream, at which version."""
    return Request.keyed(reaction(name), f"{name}:{stream_id}:{version}:{command!r}")
