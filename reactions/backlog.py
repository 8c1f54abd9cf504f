"""Working the inbox off: many deliveries at a time, on record in one append, asked about once for each reference.

A delivery is only a hint to ask the processor, so those that wait together and name the same charge or transfer are all
answered by one question, asked after the last of them came. What becomes of them is written down together, too;
what was not written down when the process died is worked off again, and changes nothing then.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol
from uuid import UUID

from reactions import inbox
from reactions.inbox import Conclusion, Delivery, Postponement
from reactions.toolbox import Toolbox
from reactions.watch import Watch

# What these say has consequences here; of the others it is enough that they are on record.
ANSWERED = ("charge.success", "charge.dispute.", "transfer.", "refund.")
MOST_IN_HAND = 20 * inbox.BATCH
PAUSE_SECONDS = 0.2
PLACES = 16
"""So many transactions are asked about at once."""

Group = tuple[UUID | None, list[Delivery]]
"""A transaction, None for those that name none of ours, and what was delivered about it."""


class Advance(Protocol):
    """Brings a transaction forward, and asks about a charge or transfer of it, or refunds, first if `reported`."""

    async def __call__(
        self,
        transaction_id: UUID,
        reported: str | None = None,
        /,
        *,
        is_disputed: bool = False,
        is_refund: bool = False,
    ) -> str | None:
        """Return what went wrong at the processor."""
        ...


class Backlog:
    """What waits in the inbox; a transaction that takes long holds up nothing else."""

    def __init__(self, tools: Toolbox, watch: Watch, advance: Advance) -> None:
        """Nothing is taken from the inbox yet."""
        self._tools = tools
        self._watch = watch
        self._advance = advance
        self._in_hand: set[int] = set()
        self._pending: dict[UUID, list[Delivery]] = {}
        self._places = asyncio.Semaphore(PLACES)
        self._concluded: list[Conclusion] = []
        self._postponed: list[Postponement] = []
        self._wake = asyncio.Event()

    async def work(self) -> None:
        """Work off what comes, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write_down())
            while True:
                batch = await self.take()
                for transaction_id, deliveries in await self.sort(batch):
                    if transaction_id is None:
                        await self.apply(None, deliveries)
                    elif transaction_id in self._pending:
                        self._pending[transaction_id].extend(deliveries)
                    else:
                        self._pending[transaction_id] = deliveries
                        tasks.create_task(self._apply_pending(transaction_id))
                if len(batch) < inbox.BATCH:
                    await asyncio.sleep(PAUSE_SECONDS)

    async def take(self) -> list[Delivery]:
        """Return the next deliveries that are due and not in hand, which they are from now on."""
        if len(self._in_hand) >= MOST_IN_HAND:
            return []
        async with self._tools.pool.connection() as connection:
            batch = await inbox.list_waiting(connection, self._tools.clock, self._in_hand)
        self._in_hand.update(delivery.id for delivery in batch)
        return batch

    async def sort(self, batch: Sequence[Delivery]) -> list[Group]:
        """Put a batch on record, and sort it by what it is about."""
        if not batch:
            return []
        await inbox.put_on_record(self._tools, batch)
        # Whoever orders a payment says so in the log first: what is not there now was none of ours when this came.
        owners = await self._watch.find({delivery.reference for delivery in batch if delivery.reference})
        groups: defaultdict[UUID | None, list[Delivery]] = defaultdict(list)
        for delivery in batch:
            groups[owners.get(delivery.reference or "")].append(delivery)
        return list(groups.items())

    async def apply(self, transaction_id: UUID | None, deliveries: Sequence[Delivery]) -> None:
        """Ask about what a transaction's deliveries name, and let each know what became of it."""
        followed = [] if transaction_id is None else [one for one in deliveries if one.event.startswith(ANSWERED)]
        chosen = {delivery.id for delivery in followed}
        self._conclude([delivery for delivery in deliveries if delivery.id not in chosen], transaction_id)
        for about in _questions(followed):
            assert transaction_id is not None, "nothing is followed up without one"
            is_disputed = any(delivery.event.startswith("charge.dispute.") for delivery in about)
            failure = await self._advance(
                transaction_id, about[0].reference, is_disputed=is_disputed, is_refund=_is_refund(about[0])
            )
            if failure is None:
                self._conclude(about, transaction_id, "applied")
            else:
                self._postpone(about, failure)

    async def _apply_pending(self, transaction_id: UUID) -> None:
        """Take what has gathered about a transaction only when there is a place: the question is not asked yet."""
        async with self._places:
            await self.apply(transaction_id, self._pending.pop(transaction_id))

    async def flush(self) -> None:
        """Write down what became of the deliveries since the last time; they are in nobody's hands then."""
        concluded, postponed = self._concluded, self._postponed
        self._concluded, self._postponed = [], []
        await inbox.conclude(self._tools.pool, self._tools.clock, concluded)
        await inbox.postpone(self._tools.pool, self._tools.clock, postponed)
        self.put_down(each.delivery for each in (*concluded, *postponed))

    def put_down(self, deliveries: Iterable[Delivery]) -> None:
        """Let deliveries be taken again."""
        self._in_hand.difference_update(delivery.id for delivery in deliveries)

    async def _write_down(self) -> None:
        """Whatever is decided while one write is under way goes with the next."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.flush()

    def _conclude(
        self, deliveries: Collection[Delivery], transaction_id: UUID | None, outcome: str | None = None
    ) -> None:
        for delivery in deliveries:
            nobodys = transaction_id is None and delivery.reference is not None
            became = outcome or ("unmatched" if nobodys else "ignored")
            self._concluded.append(Conclusion(delivery, became, transaction_id))
        self._wake.set()

    def _postpone(self, deliveries: Collection[Delivery], failure: str) -> None:
        self._postponed.extend(Postponement(delivery, failure) for delivery in deliveries)
        self._wake.set()


def _is_refund(delivery: Delivery) -> bool:
    return delivery.event.startswith("refund.")


def _questions(deliveries: Iterable[Delivery]) -> list[list[Delivery]]:
    """Return what one question answers, together: of the same charge or transfer, or of refunds of the same charge."""
    questions: defaultdict[tuple[str | None, bool], list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        questions[delivery.reference, _is_refund(delivery)].append(delivery)
    return list(questions.values())
