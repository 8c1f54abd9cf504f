"""The books of all transactions, folded from events by the money model alone."""

from collections import Counter, defaultdict

from tests.domain.chart import DEBT, PAYABLE, RECOVERIES, need
from tests.domain.money_chargebacks import Deal

MOVE_NOTHING = (
    "refund_uncertain",
    "refund_doubt_resolved",
    "payout_uncertain",
    "refund_waits_for_balance",
    "payout_waits_for_balance",
    "payout_reversal_seen",
)


class Books:
    """All currencies and all transactions."""

    def __init__(self) -> None:
        self.totals: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.deals: dict[str, Deal] = {}
        self._touched: set[str] = set()

    def copy(self) -> "Books":
        """The same, to go on differently."""
        twin = Books()
        twin.totals.update({currency: total.copy() for currency, total in self.totals.items()})
        twin.deals = {key: deal.copy() for key, deal in self.deals.items()}
        twin._touched = self._touched.copy()
        return twin

    def read(self, stream_id: str, topic: str, fields: dict) -> None:
        """Fold one event; raise `Wrong` when its postings are not what its facts demand."""
        kind, name, _ = topic.split(".")
        if topic == "transaction.opened.v1":
            self.deals[stream_id] = Deal(fields)
        moved: Counter[str] = Counter()
        for account, _, amount in fields.get("postings", ()):
            need(type(amount) is int and amount, "amounts are whole and not zero")
            moved[account] += amount
            self.totals[fields["currency"]][account] += amount
        need(sum(moved.values()) == 0, "an event is not balanced", topic)
        need(not moved or not sum(self.totals[fields["currency"]].values()), "a currency is not balanced")
        if kind == "transaction" and name in MOVE_NOTHING:
            getattr(self.deals[stream_id], name)(fields)
        if kind == "transaction" and "postings" in fields:
            self._compare(self.deals[stream_id], name, fields, moved)
            self._touched.add(stream_id)

    def _compare(self, deal: Deal, name: str, fields: dict, moved: Counter[str]) -> None:
        expected = getattr(deal, name)(fields)
        expected = {account: amount for account, amount in expected.items() if amount}
        moved_net = {account: amount for account, amount in moved.items() if amount}
        need(expected == moved_net, name, "should move", expected, "but moves", moved_net)
        if fields["currency"] == deal.currency:
            deal.holds.update(moved)
        deal.check()

    def check_append(self) -> None:
        """Between appends no money of a seller waits beside a debt of his, and none is between two of his sales."""
        need(not any(totals[RECOVERIES] for totals in self.totals.values()), "money got lost between two sales")
        for deal in map(self.deals.__getitem__, self._touched):
            need(not (deal.owes(PAYABLE) and deal.holds[DEBT]), "a debtor is owed", deal.holds)
        self._touched.clear()
