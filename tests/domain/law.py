"""What must never happen in a transaction, read off its raw events: order, persons and intents, not amounts.

Shares no code with the domain. Each `need` is an invariant of the ledger; the money itself is in `money_model`.
"""

import copy
from collections import defaultdict
from uuid import UUID

from tests.domain.chart import need

RELEASES = ("release_ordered", "split_ordered", "reserve_released")
SUPER_ADMIN = "super_admin"


class Case:
    """One transaction as a judge sees it."""

    def __init__(self, opened: dict) -> None:
        self.buyer, self.seller = opened["buyer_id"], opened["seller_id"]
        self.version, self.time = 0, ""
        self.seen: set[str] = set()
        self.signed: set[str] = set()
        self.disputes: dict[str, str] = {}
        self.answers: dict[str, str] = {}
        self.named: dict[str, tuple[str, str | None]] = {}
        self.foreign: dict[str, str] = {}
        self.revealed: set[str] = set()
        self.granted: set[str] = set()
        self.references: set[str] = set()
        self.asked: dict[str, dict] = {}
        self.agreed: dict[str, dict] = {}
        self.over = False
        self.decided_by: str | None = None

    def copy(self) -> "Case":
        """The same, to go on differently."""
        twin = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, set | dict):
                setattr(twin, name, value.copy())
        return twin

    def judge(self, name: str, f: dict) -> None:
        """Raise when this event must not follow those before it."""
        need(f["timestamp"] >= self.time, "time goes backwards")
        self.time = f["timestamp"]
        ruling = getattr(self, name, None)
        if ruling is not None:
            ruling(f)
        if name in RELEASES:
            need(not self.disputes, "released during a dispute")
        self.seen.add(name)

    def funds_held(self, f: dict) -> None:
        need("payment_received" in self.seen and "funds_held" not in self.seen, "held without, or twice")

    def payment_received(self, f: dict) -> None:
        need(f["reference"] in self.references and f["verified_by"], "paid without having been asked, or unverified")
        need("payment_received" not in self.seen, "received twice")

    def payment_requested(self, f: dict) -> None:
        self._intend(f)

    def payout_requested(self, f: dict) -> None:
        self._intend(f)
        self._need_as_agreed(f)
        need(f["purpose"] != "seller" or not self.disputes, "paid out during a dispute")

    def payable_withheld(self, f: dict) -> None:
        need(not self.disputes and f["actor_role"] == "system", "withheld during a dispute, or by a person")

    def refund_ordered(self, f: dict) -> None:
        self._intend(f)
        self.over |= f["returns_all"]

    def receipt_return_ordered(self, f: dict) -> None:
        self._intend(f)
        disputed = {charge for dispute, (charge, _) in self.named.items() if dispute in self.disputes}
        disputed |= set(self.foreign.values())
        need(f["processor_id"] not in disputed, "sent back what the payer's bank disputes")

    def _intend(self, f: dict) -> None:
        need(f["reference"] not in self.references, "a reference serves two intents")
        self.references.add(f["reference"])

    def split_ordered(self, f: dict) -> None:
        if f["to_buyer_minor"]:
            self._intend(f)

    def payout_submitted(self, f: dict) -> None:
        need(f["reference"] in self.references, "no intent before the call")

    refund_submitted = payout_submitted

    def contract_signed(self, f: dict) -> None:
        need("contract_generated" in self.seen and f["signer_id"] not in self.signed, "signed twice, or nothing")
        need(f["signer_id"] in (self.buyer, self.seller) and f["actor_id"] == f["signer_id"], "signed by another")
        self.signed.add(f["signer_id"])

    def credentials_granted(self, f: dict) -> None:
        need(f["actor_id"] == self.seller and f["to_user_id"] == self.buyer, "granted by or to another")
        self.granted.add(f["vault_id"])

    def reveal_missed(self, f: dict) -> None:
        need(f["actor_id"] == self.buyer and f["vault_id"] in self.revealed, "missed by another, or never shown")
        need("reveal_missed" not in self.seen and not self.disputes, "missed twice, or in a dispute")

    def addendum_signed(self, f: dict) -> None:
        need(f["actor_id"] == f["signer_id"] == self.seller and "deposit_lost" in self.seen, "signed by another")

    def deposit_replaced(self, f: dict) -> None:
        need(f["vault_id"] not in self.revealed, "what was shown is handed over again")
        need(f["actor_id"] == self.seller and "deposit_lost" in self.seen, "replaced by another, or not lost")
        self.granted.add(f["vault_id"])

    def credentials_revealed(self, f: dict) -> None:
        need("funds_held" in self.seen and len(self.signed) == 2, "revealed before both signed")
        need(f["actor_id"] == self.buyer == f["to_user_id"], "revealed to another")
        need(f["vault_id"] in self.granted and f["vault_id"] not in self.revealed, "revealed twice")
        settled = {"release_ordered", "split_ordered", "chargeback_lost"} & self.seen
        need(not self.disputes and not settled and not self.over, "revealed in a dispute or after the end")
        self.revealed.add(f["vault_id"])

    def access_confirmed(self, f: dict) -> None:
        need(self.revealed and f["actor_id"] == self.buyer and not self.disputes, "confirmed by another or too early")

    def inspection_lapsed(self, f: dict) -> None:
        need(f["timestamp"] >= f["deadline"], "lapsed early")
        sellers = set(self.disputes.values()) <= {"seller"}
        need(not self.disputes or (sellers and f["outcome"] == "refund"), "lapsed in a dispute")
        acknowledged = "reveal_acknowledged" in self.seen
        need(acknowledged or f["outcome"] == "escalate", "silence counts only after an acknowledgement")

    def cancelled(self, f: dict) -> None:
        need("payment_received" not in self.seen, "cancelled with money in escrow")

    def expired(self, f: dict) -> None:
        self.cancelled(f)
        need(f["timestamp"] >= f["deadline"], "expired early")

    def dispute_opened(self, f: dict) -> None:
        need(f["dispute_id"] not in self.disputes, "one dispute opened twice")
        self.disputes[f["dispute_id"]] = f["source"]

    def dispute_withdrawn(self, f: dict) -> None:
        need(self.disputes.pop(f["dispute_id"]) != "processor", "the processor's dispute cannot be withdrawn")

    def clocks_resumed(self, f: dict) -> None:
        need(set(self.disputes.values()) <= {"seller"}, "a refund is due later while a dispute holds it up")
        need(not self.disputes or not f["release_seconds"], "a release is due later while a dispute holds it up")

    def dispute_resolved(self, f: dict) -> None:
        source = self.disputes.pop(f["dispute_id"])
        by_processor = f["finding"].startswith("processor")
        need((source == "processor") == by_processor, "decided by whom it does not concern")
        need(by_processor or f["actor_role"] in ("admin", SUPER_ADMIN), "decided by nobody of the staff")
        need(f["actor_id"] not in (self.buyer, self.seller), "decided in his own case")

    def chargeback_charge_named(self, f: dict) -> None:
        need(self.disputes.get(f["dispute_id"]) == "processor", "only the processor disputes a charge")
        charge, reference = self.named.get(f["dispute_id"], (f["charge_id"], None))
        is_news = f["dispute_id"] not in self.named or (reference is None and f["charge_reference"] is not None)
        need(is_news and charge and charge == f["charge_id"], "a charge is named once, and its reference once")
        self.named[f["dispute_id"]] = (f["charge_id"], f["charge_reference"])

    def foreign_chargeback_seen(self, f: dict) -> None:
        self.foreign.pop(f["processor_dispute_id"], None)
        if f["outcome"] == "open" and f.get("charge_id"):
            self.foreign[f["processor_dispute_id"]] = f["charge_id"]

    def stray_chargeback_lost(self, f: dict) -> None:
        self.foreign.pop(f["processor_dispute_id"], None)

    def processor_dispute_answer_ordered(self, f: dict) -> None:
        need(self.disputes.get(f["dispute_id"]) == "processor", "only the processor's open dispute is answered")
        need(f["dispute_id"] not in self.answers, "an answer is ordered once, and not after another")
        need(self.revealed and self.buyer in self.signed, "there is nothing to say")
        need(f["evidence_version"] > 0 and f["evidence_sha256"], "evidence of nothing")
        self.answers[f["dispute_id"]] = "ordered"

    def processor_dispute_answered(self, f: dict) -> None:
        need(self.disputes.get(f["dispute_id"]) == "processor", "only the processor's open dispute is answered")
        was = self.answers.get(f["dispute_id"])
        ours = any(ref.startswith("sha256:") for ref in f["evidence_refs"])
        need(was != "sent" and (was == "ordered" or not ours), "answered twice, or without an intent")
        self.answers[f["dispute_id"]] = "sent"

    def processor_dispute_answer_refused(self, f: dict) -> None:
        need(self.answers.get(f["dispute_id"]) == "ordered", "refused what was never sent")
        self.answers[f["dispute_id"]] = "refused"

    def approval_requested(self, f: dict) -> None:
        self.asked[f["approval_id"]] = f

    def approval_granted(self, f: dict) -> None:
        asked = self.asked.pop(f["approval_id"])
        self.agreed[f["command_id"]] = asked
        need(asked["actor_id"] != f["actor_id"] and f["actor_role"] == SUPER_ADMIN, "approved by the asker himself")

    def approval_rejected(self, f: dict) -> None:
        self.asked.pop(f["approval_id"])

    def approval_expired(self, f: dict) -> None:
        self.asked.pop(f["approval_id"])

    def decision_taken(self, f: dict) -> None:
        need(len(f["reason"].strip()) >= 10, "no reason")
        allowed = (SUPER_ADMIN, "admin") if f["action"] == "resolve" else (SUPER_ADMIN,)
        need(f["actor_role"] in allowed and f["actor_id"] not in (self.buyer, self.seller), "decided by whom?")
        self.decided_by = f["command_id"]

    def _need_as_agreed(self, f: dict) -> None:
        """A release that waited for a second person is what both of them saw: how much, whose, and to where."""
        asked = self.agreed.get(f["command_id"])
        if asked is not None and asked["action"] == "release":
            same = (asked.get(name) == f.get(name) for name in ("amount_minor", "purpose", "recipient"))
            need(all(same), "another payment than two agreed to")

    def release_ordered(self, f: dict) -> None:
        self._need_as_agreed(f)
        forced = f["basis"] in ("forced", "award")
        need(not forced or self.decided_by == f["command_id"], "forced without a decision in the same append")
        need(f["basis"] != "buyer_confirmed" or "access_confirmed" in self.seen, "released without the buyer's word")


class Law:
    """Every stream: transactions judged; listings with one live transaction at a time."""

    def __init__(self) -> None:
        self.cases: dict[UUID, Case] = {}
        self.withheld: tuple[str, str, int, str] | None = None
        self.listings: defaultdict[UUID, str] = defaultdict(lambda: "none")

    def copy(self) -> "Law":
        """The same, to go on differently."""
        twin = Law()
        twin.cases = {key: case.copy() for key, case in self.cases.items()}
        twin.listings.update(self.listings)
        twin.withheld = self.withheld
        return twin

    def read(self, stream_id: UUID, topic: str, fields: dict) -> None:
        """Judge one event; raise `Wrong`."""
        kind, name, _ = topic.split(".")
        if topic == "transaction.opened.v1":
            self.cases[stream_id] = Case(fields)
        elif kind == "transaction":
            self.cases[stream_id].judge(name, fields)
            self._pair(str(stream_id), name, fields)
        elif kind == "listing":
            self._judge_listing(stream_id, name)

    def _pair(self, stream_id: str, name: str, f: dict) -> None:
        """What one sale gives up for another is taken there by the next event, of the same command and seller."""
        before, self.withheld = self.withheld, None
        if name == "payable_withheld":
            need(self._is_sellers(stream_id, f["owing_transaction_id"]), "withheld for somebody else's debt")
            self.withheld = (stream_id, f["owing_transaction_id"], f["amount_minor"], f["command_id"])
        taken = None
        if name == "debt_recovered":
            taken = (f["paying_transaction_id"], stream_id, f["amount_minor"], f["command_id"])
        need(before == taken, "one sale gave what the other did not take", before, taken)

    def _is_sellers(self, one: str, other: str) -> bool:
        return one != other and self.cases[UUID(one)].seller == self.cases[UUID(other)].seller

    def _judge_listing(self, stream_id: UUID, name: str) -> None:
        was = self.listings[stream_id]
        need(name != "reserved" or was in ("approved", "freed"), "a listing is sold twice")
        need(was != "removed" or name == "removed", "a removed listing comes back")
        self.listings[stream_id] = name
