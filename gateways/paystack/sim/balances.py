"""The merchant's balance at the stand-in and the ledger of everything that moved it."""

from gateways.paystack.sim.calls import Answer, Call, good
from gateways.paystack.sim.clock import brief
from gateways.paystack.sim.pages import page
from gateways.paystack.sim.records import JournalLine
from gateways.paystack.sim.state import CURRENCIES, INTEGRATION, Sim


def balances(sim: Sim, call: Call) -> Answer:
    """GET /balance."""
    del call
    lines = [{"currency": currency, "balance": sim.held_minor("balance", currency)} for currency in sorted(CURRENCIES)]
    return good("Balances retrieved", lines)


def balance_ledger(sim: Sim, call: Call) -> Answer:
    """GET /balance/ledger: each change of the balance and the object that made it, newest first.

    A settled charge less its fee, a transfer, its fee, what came back of either, a refund, a chargeback: one line each.
    """
    lines = [line for line in sim.store.journal.all() if line.pocket == "balance"]
    return page(call, "Balance ledger retrieved", [_view(sim, line) for line in lines])


def _view(sim: Sim, line: JournalLine) -> dict[str, object]:
    return {
        "integration": INTEGRATION,
        "domain": sim.mode.value,
        "balance": line.balance_minor,
        "currency": line.currency,
        "difference": line.difference_minor,
        "reason": _reason(sim, line),
        "model_responsible": _model(line.kind),
        "model_row": line.object_id or line.id,
        "id": line.id,
        "createdAt": brief(line.at),
        "updatedAt": brief(line.at),
    }


def _reason(sim: Sim, line: JournalLine) -> str:
    """Paystack repeats the reason of a transfer and gives none for anything else."""
    transfer = sim.store.transfers.get(line.reference) if line.kind.startswith("transfer") else None
    return "" if transfer is None else transfer.reason


def _model(kind: str) -> str:
    """The samples know three words; a chargeback is taken by the refund it makes, a top-up comes as a charge does."""
    if kind.startswith("transfer"):
        return "Transfer"
    return "Refund" if kind.startswith(("refund", "chargeback")) else "Transaction"
