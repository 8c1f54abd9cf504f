"""An independent model of the money: the table of the ledger written down a second time, sharing no code with it.

It reads events as raw JSON. From the facts of each event, its amounts, it works out what should move; then it compares
that with the postings that the event carries. Amounts are debit positive. Names are those of the log.
"""

import copy
from collections import Counter
from typing import Self

from tests.domain.chart import (
    BALANCE,
    CHARGE_FEE,
    COMPENSATION,
    COMPENSATION_DUE,
    DEBT,
    FEE,
    GONE,
    HELD,
    IN_FLIGHT,
    LOOKED_AT,
    LOSSES,
    OPEN,
    PAYABLE,
    PER_TRANSACTION,
    RECOVERIES,
    REFUND_DUE,
    REFUNDS,
    RESERVE,
    SOURCE,
    STRAY,
    SURCHARGE,
    TAX,
    TRANSFER_FEE,
    TRANSFERS,
    UNCLEARED,
    WHOLE,
    need,
)


class Sale:
    """One transaction: what each account should hold, and where its funds went."""

    def __init__(self, opened: dict) -> None:
        self.currency = opened["price"]["currency"]
        self.terms = opened["terms"]
        self.holds: Counter[str] = Counter()
        self.funded = self.released = self.returned = self.charged_back = self.charged_back_held = 0
        self.refunded = self.from_refunds = self.early = self.paid = self.cash = self.kept = self.written_off = 0
        self.beside: Counter[str] = Counter()
        self.payouts: dict[str, dict] = {}
        self.refunds: dict[str, dict] = {}
        self.twice: Counter[str] = Counter()
        self.strays: dict[str, dict] = {}

    def copy(self) -> Self:
        """The same, to go on differently."""
        twin = copy.copy(self)
        twin.holds, twin.twice, twin.beside = self.holds.copy(), self.twice.copy(), self.beside.copy()
        twin.strays = {key: dict(stray) for key, stray in self.strays.items()}
        twin.payouts = {key: dict(payout) for key, payout in self.payouts.items()}
        twin.refunds = {key: dict(refund) for key, refund in self.refunds.items()}
        return twin

    def owes(self, account: str) -> int:
        """What a liability holds, as a positive number."""
        return -self.holds[account]

    def take(self, amount: int, *accounts: str) -> tuple[Counter[str], int]:
        """Take an amount from these in this order; the second part is what none of them had."""
        taken: Counter[str] = Counter()
        for account in accounts:
            taken[account] = max(0, min(amount, self.owes(account)))
            amount -= taken[account]
        return taken, amount

    def in_seller_hands(self) -> int:
        """What the seller got, or may still get, less what he owes or has paid back."""
        sent = sum(p["amount"] for p in self.payouts.values() if p["purpose"] == "seller" and p["state"] != "failed")
        return max(0, sent + self.kept - self.holds[DEBT] - self.cash)

    def unsent_refunds(self) -> int:
        """What is owed to the buyer and has not been sent; the return of stray money is not part of it."""
        own = [r for r in self.refunds.values() if r["currency"] == self.currency]
        busy = sum(r["amount"] for r in own if r["state"] in GONE or (r["stray"] and r["state"] == "new"))
        busy += sum(r["amount"] for r in own if r["stray"] and r["state"] == "failed" and "by" not in r)
        return max(0, self.owes(REFUND_DUE) - busy)

    def refundable(self) -> int:
        """What was funded and has neither been ordered back nor charged back."""
        return max(0, self.funded - max(0, self.refunded - self.from_refunds) - self.charged_back)

    def _order(self, f: dict, amount: int, *, stray: bool) -> None:
        self.refunds[f["reference"]] = {
            "amount": amount,
            "currency": f["currency"],
            "state": "new",
            "stray": stray,
        }

    # -- what each event should move ----------------------------------------------------------------------------------

    def payment_received(self, f: dict) -> Counter[str]:
        self.funded += f["amount_minor"]
        x = f["surcharge_minor"]
        return Counter({UNCLEARED: f["amount_minor"] + x, HELD: -f["amount_minor"], SURCHARGE: -x})

    def payment_fee_assessed(self, f: dict) -> Counter[str]:
        return Counter({CHARGE_FEE: f["fee_minor"], UNCLEARED: -f["fee_minor"]})

    def payment_mismatched(self, f: dict) -> Counter[str]:
        at = self.strays.setdefault(f["processor_id"], {"waits": 0, "early": 0, "reference": None})
        at["reference"] = f["reference"]
        at["currency"] = f["currency"]
        at["waits"] += f["suspense_minor"]
        return Counter({UNCLEARED: f["suspense_minor"], STRAY: -f["suspense_minor"]})

    def receipt_return_ordered(self, f: dict) -> Counter[str]:
        self._order(f, f["amount_minor"], stray=True)
        self.refunds[f["reference"]]["charge"] = f["processor_id"]
        self.strays[f["processor_id"]]["waits"] = 0
        return Counter({STRAY: f["amount_minor"], REFUND_DUE: -f["amount_minor"]})

    def release_ordered(self, f: dict) -> Counter[str]:
        whole = self.owes(HELD)
        need(f["amount_minor"] == whole > 0, "a release is of all that is held")
        self.released += whole
        fee = whole * self.terms["fee_bps"] // WHOLE
        tax = fee * self.terms["tax_bps"] // WHOLE
        reserve = min(whole * self.terms["reserve_bps"] // WHOLE, whole - fee - tax)
        return Counter({HELD: whole, FEE: -fee, TAX: -tax, RESERVE: -reserve, PAYABLE: fee + tax + reserve - whole})

    def reserve_released(self, f: dict) -> Counter[str]:
        need(f["amount_minor"] == self.owes(RESERVE) > 0, "a reserve is released whole")
        return Counter({RESERVE: f["amount_minor"], PAYABLE: -f["amount_minor"]})

    def refund_ordered(self, f: dict) -> Counter[str]:
        base = min(f["amount_minor"], self.refundable())
        extra = f["amount_minor"] - base
        need(extra in (0, self.owes(SURCHARGE)), "more is refunded than came", f["amount_minor"], base)
        moved, rest = self.take(base, HELD, PAYABLE, RESERVE, FEE, TAX)
        self.refunded += base
        self.returned += moved[HELD]
        self._order(f, f["amount_minor"], stray=False)
        moved.update({DEBT: rest, SURCHARGE: extra, REFUND_DUE: -f["amount_minor"]})
        return moved

    def split_ordered(self, f: dict) -> Counter[str]:
        b, s, c = f["to_buyer_minor"], f["to_seller_minor"], f["platform_fee_minor"]
        need(min(b, s, c) >= 0 and b + s + c == self.owes(HELD) > 0, "a split is of all that is held")
        self.released, self.returned, self.refunded = self.released + s + c, self.returned + b, self.refunded + b
        if b:
            self._order(f, b, stray=False)
        return Counter({HELD: b + s + c, REFUND_DUE: -b, PAYABLE: -s, FEE: -c})

    def compensation_granted(self, f: dict) -> Counter[str]:
        return Counter({COMPENSATION: f["amount_minor"], COMPENSATION_DUE: -f["amount_minor"]})

    def payout_requested(self, f: dict) -> Counter[str]:
        need(f["reference"] not in self.payouts, "a reference is used twice")
        open_ones = [p for p in self.payouts.values() if p["purpose"] == f["purpose"] and p["state"] in ("new", "sent")]
        need(not open_ones, "the same money is on its way already")
        source = SOURCE[f["purpose"]]
        need(0 < f["amount_minor"] <= self.owes(source), "more is paid than is owed")
        self.payouts[f["reference"]] = {"amount": f["amount_minor"], "purpose": f["purpose"], "state": "new"}
        self._pay_by(source, f["reference"])
        return Counter({source: f["amount_minor"], IN_FLIGHT: -f["amount_minor"]})

    def _payout(self, f: dict, *before: str, to: str) -> tuple[int, str, str]:
        payout = self.payouts[f["reference"]]
        was = payout["state"]
        need(was in before, "a payout jumps", was, to)
        payout["state"] = to
        return payout["amount"], SOURCE[payout["purpose"]], was

    def payout_waits_for_balance(self, f: dict) -> None:
        payout = self.payouts[f["reference"]]
        need(payout["state"] == "new" and not payout.get("waits"), "it waits already, or was sent")
        need((f["amount_minor"], f["currency"]) == (payout["amount"], self.currency), "another amount waits")
        payout["waits"] = True

    def payout_uncertain(self, f: dict) -> None:
        self.payouts[f["reference"]].pop("waits", None)

    def payout_submitted(self, f: dict) -> Counter[str]:
        amount, _, _ = self._payout(f, "new", to="sent")
        return Counter({TRANSFERS: amount, BALANCE: -amount})

    def payout_succeeded(self, f: dict) -> Counter[str]:
        amount, _, _ = self._payout(f, "sent", to="paid")
        return Counter({IN_FLIGHT: amount, TRANSFERS: -amount, TRANSFER_FEE: f["fee_minor"], BALANCE: -f["fee_minor"]})

    def payout_fee_assessed(self, f: dict) -> Counter[str]:
        return Counter({TRANSFER_FEE: f["fee_minor"], BALANCE: -f["fee_minor"]})

    def payout_failed(self, f: dict) -> Counter[str]:
        amount, source, was = self._payout(f, "new", "sent", to="failed")
        back = Counter({BALANCE: amount, TRANSFERS: -amount}) if was == "sent" else Counter()
        back.update({IN_FLIGHT: amount, **self._back(source, amount, f["reference"])})
        return back

    def _back(self, source: str, amount: int, reference: str) -> dict[str, int]:
        covered = min(amount, self.twice[source])
        self.twice[source] -= covered
        for refund in self.refunds.values():
            if refund.get("by") == reference and not covered:
                del refund["by"]
        return {source: covered - amount, LOSSES: -covered}

    def _pay_by(self, source: str, reference: str) -> None:
        for refund in self.refunds.values():
            is_own = refund["currency"] == self.currency
            if is_own and source == REFUND_DUE and refund["state"] in ("failed", "cancelled"):
                refund.setdefault("by", reference)

    def payout_paid_after_all(self, f: dict) -> Counter[str]:
        amount, source, _ = self._payout(f, "failed", to="paid")
        busy = sum(r["amount"] for r in self.refunds.values() if r["currency"] == self.currency and r["state"] in OPEN)
        owed = max(0, min(amount, self.owes(source) - (busy if source == REFUND_DUE else 0)))
        need(f["twice_minor"] == amount - owed, "what is owed is paid with it", f["twice_minor"], owed)
        moved = Counter({source: owed, TRANSFER_FEE: f["fee_minor"], BALANCE: -amount - f["fee_minor"]})
        moved.update({DEBT if source == PAYABLE else LOSSES: amount - owed})
        self.twice[source] += amount - owed if source != PAYABLE else 0
        self._pay_by(source, f["reference"])
        return moved

    def payout_reversal_seen(self, f: dict) -> None:
        self._payout(f, "failed", to="taken back")

    def payout_reversed(self, f: dict) -> Counter[str]:
        amount, source, _ = self._payout(f, "paid", to="failed")
        return Counter({BALANCE: amount, **self._back(source, amount, f["reference"])})

    def _refund(self, f: dict, *before: str, to: str) -> int:
        refund = self.refunds[f["reference"]]
        need(refund["state"] in before, "a refund jumps", refund["state"], to)
        refund["state"], refund["from"] = to, f.get("source", refund.get("from"))
        return refund["amount"]

    def refund_waits_for_balance(self, f: dict) -> None:
        refund = self.refunds[f["reference"]]
        need(refund["state"] in ("new", "uncertain") and not refund.get("waits"), "it waits already, or was sent")
        need((f["amount_minor"], f["currency"]) == (refund["amount"], refund["currency"]), "another amount waits")
        refund["waits"] = True

    def refund_uncertain(self, f: dict) -> None:
        refund = self.refunds[f["reference"]]
        is_news = f["error"] in LOOKED_AT and f["error"] != refund.get("doubt")
        again = refund.pop("waits", False) or is_news
        self._refund(f, "new", *(["uncertain"] if again else []), to="uncertain")
        refund["doubt"] = f["error"]

    def refund_doubt_resolved(self, f: dict) -> None:
        refund = self.refunds[f["reference"]]
        need(refund["state"] != "uncertain" or refund.get("waits"), "a doubt ends that lasts")
        need(refund.pop("doubt", None) == f["doubt"] in LOOKED_AT, "a doubt ends that nobody was told of")

    def refund_submitted(self, f: dict) -> Counter[str]:
        amount = self._refund(f, "new", "uncertain", to="sent")
        return Counter({REFUNDS: amount, f["source"]: -amount})

    def refund_processed(self, f: dict) -> Counter[str]:
        amount = self._refund(f, "sent", to="paid")
        return Counter({REFUND_DUE: amount, REFUNDS: -amount})

    def refund_failed(self, f: dict) -> Counter[str]:
        was = self.refunds[f["reference"]]["state"]
        amount = self._refund(f, "new", "uncertain", "sent", to="failed")
        return Counter({self.refunds[f["reference"]]["from"]: amount, REFUNDS: -amount}) if was == "sent" else Counter()

    def clawback_recovered(self, f: dict) -> Counter[str]:
        need(0 < f["amount_minor"] <= self.holds[DEBT], "more is recovered than is owed")
        self.cash += f["amount_minor"] if f["source"] == "cash" else 0
        source = BALANCE if f["source"] == "cash" else PAYABLE
        return Counter({source: f["amount_minor"], DEBT: -f["amount_minor"]})

    def payable_withheld(self, f: dict) -> Counter[str]:
        need(0 < f["amount_minor"] <= self.owes(PAYABLE), "more is withheld than is payable")
        self.kept += f["amount_minor"]
        return Counter({PAYABLE: f["amount_minor"], RECOVERIES: -f["amount_minor"]})

    def debt_recovered(self, f: dict) -> Counter[str]:
        need(0 < f["amount_minor"] <= self.holds[DEBT], "more is recovered than is owed")
        self.cash += f["amount_minor"]
        return Counter({RECOVERIES: f["amount_minor"], DEBT: -f["amount_minor"]})

    def loss_written_off(self, f: dict) -> Counter[str]:
        need(0 < f["amount_minor"] <= self.holds[DEBT], "more is written off than is owed")
        self.written_off += f["amount_minor"]
        return Counter({LOSSES: f["amount_minor"], DEBT: -f["amount_minor"]})

    def check(self) -> None:
        """Raise unless funded = released + returned + charged back + held, and nothing is below zero."""
        out = self.released + self.returned + self.charged_back_held
        need(self.funded == out + self.owes(HELD), "funds went astray", self.funded, out, self.owes(HELD))
        liabilities = (HELD, PAYABLE, RESERVE, IN_FLIGHT, REFUND_DUE, COMPENSATION_DUE, STRAY, TAX)
        assets = (TRANSFERS, REFUNDS, DEBT)
        need(all(self.owes(account) >= 0 for account in liabilities), "a liability is negative", self.holds)
        need(all(self.holds[account] >= 0 for account in assets), "an asset is negative", self.holds)

    @property
    def is_flat(self) -> bool:
        """Nothing of this transaction is left in any account of its own."""
        return not any(self.holds[account] for account in PER_TRANSACTION)
