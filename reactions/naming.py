"""Whose a payment at the processor is, when our own tables may have forgotten: references are derived, never random."""

import re
from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from database.queries import load
from domain.ids import derive_reference
from domain.transaction.records import PayoutPurpose
from gateways.payment import Charge, Refund, Transfer
from reactions.toolbox import Toolbox

SQL = load("reactions", "naming.sql")
REASON = "escrow "
NAMED = re.compile(REASON + "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
P = TypeVar("P", Charge, Transfer, Refund)
MOST_ATTEMPTS = 20
"""So many references of a transaction are tried; the program itself gives up long before."""


class Names:
    """Finds the transaction of a payment; what is not under a reference of ours is nobody's."""

    def __init__(self, tools: Toolbox, charges: Sequence[Charge]) -> None:
        """`charges` are the processor's: each carries the id of its transaction as we sent it."""
        self._tools = tools
        self._owners = {charge.reference: owner for charge in charges if (owner := _named_in(charge)) is not None}

    async def charges(self, charges: Iterable[Charge]) -> AsyncGenerator[tuple[Charge, UUID]]:
        """Yield those that are ours, oldest first, each with its transaction."""
        for charge in _oldest_first(charges):
            if (owner := await self.of_charge(charge.reference)) is not None:
                yield charge, owner

    async def transfers(self, transfers: Iterable[Transfer]) -> AsyncGenerator[tuple[Transfer, UUID]]:
        """Yield those that are ours, oldest first, each with its transaction."""
        for transfer in _oldest_first(transfers):
            if (owner := await self.of_transfer(transfer)) is not None:
                yield transfer, owner

    async def refunds(self, refunds: Iterable[Refund]) -> AsyncGenerator[tuple[Refund, UUID]]:
        """Yield those that are ours, oldest first, each with its transaction; without those of chargebacks."""
        for refund in _oldest_first(each for each in refunds if each.dispute_id is None):
            if (owner := await self.of_refund(refund)) is not None:
                yield refund, owner

    async def of_charge(self, reference: str) -> UUID | None:
        """Return the transaction that a charge pays for."""
        return self._owners.get(reference) or await find_transaction(self._tools, reference)

    async def of_transfer(self, transfer: Transfer) -> UUID | None:
        """Return the transaction that a transfer was ordered for; it stands in the reason that we sent."""
        named = read_reason(transfer.reason)
        if named is not None and purpose_of(named, transfer.reference) is not None:
            return named
        return await find_transaction(self._tools, transfer.reference)

    async def of_refund(self, refund: Refund) -> UUID | None:
        """Return the transaction that ordered a refund, by the note that we sent and the charge it goes back to."""
        owner = await self.of_charge(refund.charge_reference or "")
        note = refund.merchant_note or ""
        return owner if owner is not None and is_refund_of(owner, note) else await find_transaction(self._tools, note)


def write_reason(transaction_id: UUID) -> str:
    """Return the reason that a transfer of ours is sent with: it names its transaction."""
    return f"{REASON}{transaction_id}"


def read_reason(reason: str | None) -> UUID | None:
    """Return the transaction that a reason names; None where it is not one of ours."""
    named = NAMED.fullmatch(reason or "")
    return None if named is None else UUID(named[1])


async def find_transaction(tools: Toolbox, reference: str) -> UUID | None:
    """Return the transaction of a reference of ours, or of the processor's id of a refund; None if no table has it."""
    async with tools.pool.connection() as connection:
        row = await (await connection.execute(SQL.find_transaction, {"reference": reference})).fetchone()
    found: UUID | None = row[0] if row else None
    return found


def _oldest_first(payments: Iterable[P]) -> list[P]:
    """The order in which they were made; without a date, that of their ids."""
    return sorted(payments, key=lambda each: (str(each.created_at or ""), each.processor_id or 0))


def _named_in(charge: Charge) -> UUID | None:
    """What a charge says of itself counts only if its reference agrees: anybody can write metadata."""
    try:
        owner = UUID(str(charge.metadata.get("transaction_id")))
    except ValueError:
        return None
    is_ours = any(charge.reference == derive_reference("ch", owner, "payment", n + 1) for n in range(MOST_ATTEMPTS))
    return owner if is_ours else None


def purpose_of(transaction_id: UUID, reference: str) -> PayoutPurpose | None:
    """Return what a payout of that transaction under this reference is for; None where it is of no payout of it."""
    for purpose in PayoutPurpose:
        if any(reference == derive_reference("po", transaction_id, purpose.value, n + 1) for n in range(MOST_ATTEMPTS)):
            return purpose
    return None


def is_refund_of(transaction_id: UUID, reference: str) -> bool:
    """Whether this is the reference of a refund of that transaction."""
    return any(reference == derive_reference("rf", transaction_id, "refund", n + 1) for n in range(MOST_ATTEMPTS))
