"""What the model of the money expects of chargebacks, and of refunds that cross with them."""

from collections import Counter
from collections.abc import Callable, Mapping

from tests.domain.chart import (
    BALANCE,
    DEBT,
    FEE,
    HELD,
    LOSSES,
    OPEN,
    PAYABLE,
    REFUND_DUE,
    RESERVE,
    STRAY,
    TAX,
    UNCLEARED,
    need,
)
from tests.domain.money_model import Sale


class Deal(Sale):
    """One transaction, and what its buyer's bank takes back of it."""

    def chargeback_lost(self, f: dict) -> Counter[str]:
        amount, hands, before = f["amount_minor"], self.in_seller_hands(), not self.funded
        moved, rest = self.take(amount, HELD)
        from_refunds = min(rest, self.unsent_refunds())
        later, rest = self.take(rest - from_refunds, PAYABLE, RESERVE, FEE, TAX)
        from_seller = min(rest, hands)
        moved.update(later)
        moved.update({REFUND_DUE: from_refunds, DEBT: from_seller, LOSSES: rest - from_seller})
        self.charged_back, self.charged_back_held = self.charged_back + amount, self.charged_back_held + moved[HELD]
        self.from_refunds += from_refunds
        self.early += amount if before else 0
        beside = {PAYABLE: moved[PAYABLE], RESERVE: moved[RESERVE], FEE: moved[FEE], TAX: moved[TAX]}
        beside |= {DEBT: from_seller, LOSSES: rest - from_seller}
        for reference in f["cancelled_refunds"]:
            need(
                self.refunds[reference]["state"] == "new" and from_refunds, "a refund that was sent cannot be cancelled"
            )
            self.refunds[reference]["state"] = "cancelled"
        self.beside.update(self._last(beside, self._contest(sum(beside.values()), lambda r: not r["stray"])))
        moved.update({self.taken_from(f): -amount})
        return moved

    def stray_chargeback_lost(self, f: dict) -> Counter[str]:
        amount = f["amount_minor"]
        at = self.strays.setdefault(f["charge_id"], {"waits": 0, "early": 0, "reference": None})
        known = at["reference"] is not None
        from_receipt = min(amount, at["waits"]) if at.get("currency", f["currency"]) == f["currency"] else 0
        at["waits"] -= from_receipt
        returns = [
            (reference, r)
            for reference, r in self.refunds.items()
            if known
            and r["stray"]
            and r["charge"] == f["charge_id"]
            and r["currency"] == f["currency"]
            and (r["state"] == "new" or (r["state"] == "failed" and "by" not in r))
        ]
        from_returns = min(amount - from_receipt, sum(r["amount"] for _, r in returns))
        for field, state in (("cancelled_refunds", "new"), ("covered_refunds", "failed")):
            own = [reference for reference, r in returns if r["state"] == state] if from_returns else []
            need(list(f[field]) == own, "other returns are taken", field, own)
        for reference in f["cancelled_refunds"]:
            self.refunds[reference]["state"] = "cancelled"
        for reference in f["covered_refunds"]:
            self.refunds[reference]["by"] = f["processor_dispute_id"]
        left = from_returns
        for reference in (*f["cancelled_refunds"], *f["covered_refunds"]):
            self.refunds[reference]["taken"] = min(left, self.refunds[reference]["amount"])
            left -= self.refunds[reference]["taken"]
        lost = amount - from_receipt - from_returns
        at["early"] += 0 if known else lost
        self._contest(lost, lambda r: r.get("charge") == f["charge_id"])
        return Counter({STRAY: from_receipt, REFUND_DUE: from_returns, LOSSES: lost, self.taken_from(f): -amount})

    def _contest(self, taken: int, concerns: Callable[[dict], bool]) -> int:
        """Note on each refund that is under way how much of a chargeback's money it gives back as well."""
        left = taken
        for refund in filter(concerns, self.refunds.values()):
            transfer = self.payouts.get(refund.get("by", ""))
            if refund["state"] in OPEN or (transfer and transfer["state"] not in ("failed", "taken back")):
                twice = max(0, min(left, refund["amount"] - refund.get("twice", 0)))
                refund["twice"] = refund.get("twice", 0) + twice
                left -= twice
        return taken - left

    @staticmethod
    def _last(taken: Mapping[str, int], amount: int) -> Counter[str]:
        """Whose an amount was, when those come first from whom it was taken last."""
        parts: Counter[str] = Counter()
        for account in (LOSSES, DEBT, TAX, FEE, RESERVE, PAYABLE):
            parts[account] = min(amount, taken[account])
            amount -= parts[account]
        return parts

    def chargeback_refund_failed(self, f: dict) -> Counter[str]:
        refund, amount = self.refunds[f["reference"]], f["amount_minor"]
        refund["taken"] = refund.get("taken", 0) + amount
        need(refund["state"] in ("failed", "cancelled") and "by" not in refund, "it may yet be paid, or was")
        need(0 < amount <= refund.pop("twice", 0), "more is given back than was taken twice")
        if amount == refund["amount"]:
            refund["by"] = f["processor_dispute_id"]
        if refund["stray"]:
            return Counter({REFUND_DUE: amount, LOSSES: -amount})
        self.from_refunds += amount
        back = self._last(self.beside, amount)
        self.beside.subtract(back)
        debt = min(back[DEBT], self.holds[DEBT])
        given_up = min(back[DEBT] - debt, self.written_off)
        moved = Counter({account: -part for account, part in back.items()})
        moved.update({REFUND_DUE: amount, DEBT: back[DEBT] - debt, LOSSES: -given_up})
        moved[PAYABLE] -= back[DEBT] - debt - given_up
        return moved

    def stray_chargeback_covered(self, f: dict) -> Counter[str]:
        at = self.strays[f["charge_id"]]
        need(0 < f["amount_minor"] <= min(at["early"], at["waits"]), "more is covered than was taken, or than came")
        at["early"] -= f["amount_minor"]
        at["waits"] -= f["amount_minor"]
        return Counter({STRAY: f["amount_minor"], LOSSES: -f["amount_minor"]})

    @staticmethod
    def taken_from(f: dict) -> str:
        """Where the processor took it: the one account that is credited."""
        (account,) = [account for account, _, amount in f["postings"] if amount < 0]
        need(account in (UNCLEARED, BALANCE), "the processor has no hand in", account)
        return account

    def chargeback_covered(self, f: dict) -> Counter[str]:
        need(0 < f["amount_minor"] <= self.early, "more is covered than was charged back before it came")
        self.early -= f["amount_minor"]
        source = HELD if f["processor_id"] is None else STRAY
        self.charged_back_held += f["amount_minor"] if source == HELD else 0
        self.charged_back -= f["amount_minor"] if source == STRAY else 0
        if source == STRAY:
            self.strays[f["processor_id"]]["waits"] -= f["amount_minor"]
        return Counter({source: f["amount_minor"], LOSSES: -f["amount_minor"]})

    def cancelled_refund_sent(self, f: dict) -> Counter[str]:
        need(self.refunds[f["reference"]]["state"] == "cancelled", "only a cancelled refund comes back")
        refund, hands = self.refunds[f["reference"]], self.in_seller_hands()
        busy = sum(r["amount"] for r in self.refunds.values() if r["currency"] == self.currency and r["state"] in OPEN)
        missing = max(0, refund["amount"] - max(0, self.owes(REFUND_DUE) - busy))
        missing = missing if refund["currency"] == self.currency else refund["taken"]
        refund["state"] = "new"
        if refund["stray"]:
            return Counter({LOSSES: missing, REFUND_DUE: -missing})
        self.from_refunds -= missing
        moved, rest = self.take(missing, PAYABLE, RESERVE, FEE, TAX)
        from_seller = min(rest, hands)
        moved.update({DEBT: from_seller, LOSSES: rest - from_seller, REFUND_DUE: -missing})
        return moved

    def failed_refund_sent(self, f: dict) -> Counter[str]:
        refund = self.refunds[f["reference"]]
        need(refund["state"] == "failed", "only a refund that failed is paid after all")
        own = [r for r in self.refunds.values() if r["currency"] == self.currency]
        owed = max(0, self.owes(REFUND_DUE) - sum(r["amount"] for r in own if r["state"] in OPEN))
        missing = max(0, refund["amount"] - owed) if refund["currency"] == self.currency else refund.get("taken", 0)
        transfer = self.payouts.get(refund.get("by", ""))
        by_transfer = min(missing, transfer["amount"]) if transfer else 0
        self.twice[REFUND_DUE] += by_transfer
        self.from_refunds -= 0 if refund["stray"] else missing - by_transfer
        refund["state"] = "new"
        return Counter({LOSSES: missing, REFUND_DUE: -missing})
