"""The stand-in of the processor in this process: its clock is ours, its webhooks wait until somebody brings them."""

import json
import random

import httpx

from domain.ids import Clock
from gateways.paystack.secret import SecretKey
from gateways.paystack.sim import disputes, payments, refunds, transfers
from gateways.paystack.sim.faults import Fault
from gateways.paystack.sim.in_process import InProcess
from gateways.paystack.sim.records import ChargeRecord
from gateways.paystack.sim.server import build_sim
from gateways.paystack.sim.state import Behaviour
from gateways.paystack.webhook import signature
from tests.simulation.mischief import all_at_once
from tests.simulation.wire import Wire, connect

SECRET = SecretKey("sk_test_0123456789abcdef")
TRANSFER_FAULTS = (
    "insufficient_balance",
    "otp",
    "pending",
    "fail",
    "reversed_after_success",
    "abandoned",
    "blocked",
    "rejected",
    "late",
)
REFUND_FAULTS = ("pending", "fail", "needs_attention", "insufficient_balance", "without_note")
WEBHOOK_FAULTS = ("duplicate_webhook", "lost_webhook", "delay_webhook")


class Processor:
    """What happens there, and what it has on record."""

    def __init__(self, clock: Clock, die: random.Random, rate: float) -> None:
        self.die = die
        slow = {name: die.choice((0.0, 60.0, 86_400.0)) for name in ("settle_seconds", "refund_seconds")}
        slow["transfer_seconds"] = die.choice((0.0, 0.0, 600.0))
        slow["dispute_seconds"] = die.choice((16 * 3600.0, 7 * 86_400.0))
        behaviour = Behaviour(webhook_url="http://escrow/webhooks/paystack", **slow)
        self.sim = build_sim(secret=SECRET, behaviour=behaviour, seed=die.getrandbits(32), clock=clock)
        self.mail: list[bytes] = []
        letterbox = httpx.AsyncClient(transport=httpx.MockTransport(self._take_mail))
        self._runs = InProcess(self.sim, merchant=letterbox)
        self.wire = Wire(self._runs.transport, die, rate)
        self.gateway = connect(SECRET, self.wire, clock)

    def _take_mail(self, request: httpx.Request) -> httpx.Response:
        """Accept a webhook at once; it reaches the inbox in an order of our own."""
        self.mail.append(request.content)
        return httpx.Response(200)

    async def run_due(self) -> int:
        """Do what is due by now; webhooks go into the mail. Return how much was done."""
        return await self._runs.run_due()

    def sign(self, raw: bytes) -> str:
        return signature(SECRET, raw)

    def script(self, endpoint: str, kind: str) -> None:
        """Let the next transfer, refund or webhook go wrong in this way."""
        delay = self.die.choice((0.0, 30.0, 7200.0))
        self.sim.faults.add(Fault(endpoint=endpoint, kind=kind, delay_seconds=delay))

    def misbehave(self) -> None:
        """Everything can go wrong from now on, in every way."""
        for fault in all_at_once():
            self.sim.faults.add(fault)

    def calm(self) -> None:
        """Nothing goes wrong from now on."""
        self.wire.rate = 0.0
        self.sim.faults.clear()

    def pay(self, reference: str, amount_minor: int | None = None, currency: str | None = None) -> str:
        """Somebody pays at a checkout, as much as he likes; return the status of the charge."""
        charge = self.sim.store.charges.get(reference)
        assert charge is not None
        if amount_minor is not None or currency is not None:
            other = Fault(
                kind="other_amount", match={"reference": reference}, amount_minor=amount_minor, currency=currency
            )
            self.sim.faults.waiting.insert(0, other)  # before what only happens now and then
        payments.finish_checkout(self.sim, charge, "success")
        return charge.status

    @property
    def payable(self) -> list[str]:
        """Checkouts that can still be paid."""
        return [c.reference for c in self.sim.store.charges.all() if c.status in ("pending", "abandoned")]

    def move_transfer(self, reference: str, status: str) -> None:
        transfer = self.sim.store.transfers.get(reference)
        assert transfer is not None
        transfers.move(self.sim, transfer, status)

    def move_refund(self, number: int, status: str) -> None:
        refund = self.sim.store.refunds.get(str(number))
        assert refund is not None
        refunds.move(self.sim, refund, status)

    @property
    def disputable(self) -> list[ChargeRecord]:
        """Charges of which something can be charged back: paid, not all returned, and not disputed already."""
        busy = {dispute.charge_id for dispute in self.sim.store.disputes.all() if dispute.status != disputes.RESOLVED}
        paid = (charge for charge in self.sim.store.charges.all() if charge.paid_at is not None)
        return [charge for charge in paid if charge.refunded_minor < charge.paid_minor and charge.id not in busy]

    def dispute(self, charge: ChargeRecord, refund_minor: int) -> None:
        """The buyer's bank asks for that much of a charge."""
        disputes.open_dispute(
            self.sim, charge, refund_minor=refund_minor, category=self.die.choice(disputes.CATEGORIES)
        )

    @property
    def undecided(self) -> list[str]:
        """Chargebacks that are neither won nor lost."""
        return [str(dispute.id) for dispute in self.sim.store.disputes.all() if dispute.status != disputes.RESOLVED]

    def decide(self, dispute_id: str, outcome: str, word: str | None = None) -> None:
        """The buyer's bank decides; `word` is what the processor calls it, if not the usual."""
        disputes.decide(self.sim, dispute_id, outcome, word)

    def finish(self) -> None:
        """Conclude what waits for nobody but the processor; one-time codes are typed by us, or run out."""
        for dispute in self.sim.store.disputes.all():
            if dispute.status == disputes.AT_BANK:
                disputes.decide(self.sim, str(dispute.id), self.die.choice(("won", "lost")))
        for transfer in self.sim.store.transfers.all():
            if transfer.status in ("pending", "received"):
                transfers.move(self.sim, transfer, "success")
            elif transfer.status == "otp":
                transfers.move(self.sim, transfer, "abandoned")
        for refund in self.sim.store.refunds.all():
            if refund.status in ("pending", "processing", "needs-attention"):
                refunds.move(self.sim, refund, "processed")

    def send_lost_mail(self) -> None:
        """Somebody presses the button of the dashboard for every webhook that was lost."""
        for delivery in self.sim.store.deliveries.all():
            if delivery.state == "lost":
                self.sim.later(0.0, "webhook", str(delivery.id))

    def top_up(self, currency: str, amount_minor: int) -> None:
        self.sim.move("top_up", "balance", currency, amount_minor, "", 0)

    def funds_minor(self, currency: str) -> int:
        """What it keeps for us in both pockets."""
        return sum(self.sim.held_minor(pocket, currency) for pocket in ("uncleared", "balance"))

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with its own books: nothing, or a comparison with them says nothing."""
        return self._runs.audit().problems

    def forge(self, reference: str, amount_minor: int, currency: str) -> bytes:
        """A webhook with a good signature and a lie in it, as somebody with a stolen key would send it."""
        lie = {
            "id": self.die.getrandbits(40),
            "status": "success",
            "reference": reference,
            "amount": amount_minor,
            "currency": currency,
            "fees": 0,
            "channel": "card",
            "domain": "test",
        }
        return json.dumps({"event": "charge.success", "data": lie}).encode()
