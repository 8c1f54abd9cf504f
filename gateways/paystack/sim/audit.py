"""Whether the stand-in's own books are right: when books differ, its own must not be the wrong ones."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from gateways.paystack.sim.records import JournalLine, RefundRecord, TransferRecord
from gateways.paystack.sim.state import CURRENCIES, POCKETS, Sim
from gateways.paystack.sim.transfers import UNPAID


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found: nothing in `problems` if the books are right. Balances are minor units by pocket and currency."""

    balances: dict[str, dict[str, int]]
    transfers: int
    lines: int
    problems: tuple[str, ...]

    @property
    def is_ok(self) -> bool:
        """Tell whether the books are right."""
        return not self.problems


def audit(sim: Sim) -> Audit:
    """Add up every pocket, and hold each transfer, refund, charge and settlement against what it moved."""
    lines = sim.store.journal.all()
    problems = (
        *_wrong_pockets(sim, lines),
        *_wrong_transfers(sim, lines),
        *_wrong_refunds(sim, lines),
        *_wrong_charges(sim),
        *_wrong_settlements(sim, lines),
    )
    held = {pocket: {currency: sim.held_minor(pocket, currency) for currency in CURRENCIES} for pocket in POCKETS}
    return Audit(balances=held, transfers=len(sim.store.transfers.all()), lines=len(lines), problems=tuple(problems))


def _wrong_pockets(sim: Sim, lines: list[JournalLine]) -> Iterator[str]:
    """The differences of a pocket add up to what each line says is there, and in the end to what is there."""
    sums = Counter[tuple[str, str]]()
    for line in lines:
        place = line.pocket, line.currency
        sums[place] += line.difference_minor
        if sums[place] != line.balance_minor:
            yield f"line {line.id}: {line.pocket} {line.currency} is {sums[place]}, not {line.balance_minor}"
    for pocket in POCKETS:
        for currency in CURRENCIES:
            if sums[pocket, currency] != sim.held_minor(pocket, currency):
                yield f"{pocket} {currency} adds up to {sums[pocket, currency]}, not {sim.held_minor(pocket, currency)}"


def _wrong_transfers(sim: Sim, lines: list[JournalLine]) -> Iterator[str]:
    """Every reference and every code stands for one transfer, which has taken what its status says."""
    transfers = sim.store.transfers.all()
    taken = Counter(line.reference for line in lines if line.kind == "transfer")
    codes = Counter(transfer.transfer_code for transfer in transfers)
    moved = _moved(lines, "transfer")
    for transfer in transfers:
        if taken[transfer.reference] != 1 or codes[transfer.transfer_code] != 1:
            yield f"transfer {transfer.reference} was taken {taken[transfer.reference]} times"
        if moved[transfer.id] != -_cost_minor(transfer):
            yield f"transfer {transfer.reference} is {transfer.status} and moved {moved[transfer.id]}"
    for reference in taken.keys() - {transfer.reference for transfer in transfers}:
        yield f"transfer {reference} was taken and is not there"


def _cost_minor(transfer: TransferRecord) -> int:
    """What a transfer costs the balance: nothing if it was never paid, its fee if it came back after success."""
    if transfer.status in UNPAID or (transfer.status == "reversed" and transfer.transferred_at is None):
        return 0
    return transfer.fee_minor if transfer.status == "reversed" else transfer.amount_minor + transfer.fee_minor


def _wrong_refunds(sim: Sim, lines: list[JournalLine]) -> Iterator[str]:
    """A refund has taken its amount, a failed one nothing, a chargeback is counted once."""
    moved = _moved(lines, ("refund", "chargeback"))
    for refund in sim.store.refunds.all():
        wanted_minor = 0 if refund.status == "failed" else -refund.amount_minor
        if moved[refund.id] != wanted_minor:
            yield f"refund {refund.id} is {refund.status} and moved {moved[refund.id]}"


def _wrong_charges(sim: Sim) -> Iterator[str]:
    """What went back of a charge is the sum of its refunds and chargebacks, and not more than was paid."""
    returned = Counter[int]()
    for refund in sim.store.refunds.all():
        returned[refund.charge_id] += _counted_minor(refund)
    for charge in sim.store.charges.all():
        if returned[charge.id] != charge.refunded_minor or charge.refunded_minor > charge.paid_minor:
            yield f"charge {charge.reference} has {charge.refunded_minor} of {charge.paid_minor} returned"


def _counted_minor(refund: RefundRecord) -> int:
    return 0 if refund.status == "failed" else refund.amount_minor


def _wrong_settlements(sim: Sim, lines: list[JournalLine]) -> Iterator[str]:
    """What arrived outside is the sum of the settlements."""
    kinds = ("settlement", "refund_deducted")
    for pocket in ("balance", "bank"):
        for currency in CURRENCIES:
            here = [line for line in lines if (line.pocket, line.currency) == (pocket, currency)]
            arrived = sum(line.difference_minor for line in here if line.kind in kinds)
            made = [it for it in sim.store.settlements.all() if (it.pocket, it.currency) == (pocket, currency)]
            if made and arrived != sum(settlement.effective_minor for settlement in made):
                yield f"settlements to {pocket} {currency} moved {arrived}"


def _moved(lines: list[JournalLine], kinds: str | tuple[str, ...]) -> Counter[int]:
    """What each object has moved in all pockets together."""
    moved = Counter[int]()
    for line in lines:
        if line.kind.startswith(kinds):
            moved[line.object_id] += line.difference_minor
    return moved
