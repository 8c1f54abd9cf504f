"""What every part of the stand-in shares: memory, time, chance, faults, and the journal of money."""

import json
import random
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from gateways.payment import Mode
from gateways.paystack.secret import SecretKey
from gateways.paystack.sim import faults
from gateways.paystack.sim.clock import SimClock
from gateways.paystack.sim.faults import Fault, Faults
from gateways.paystack.sim.fees import FeeTable
from gateways.paystack.sim.indexes import Indexes
from gateways.paystack.sim.records import DeliveryRecord, JournalLine, TaskRecord
from gateways.paystack.sim.store import Store

INTEGRATION = 100_073
"""The merchant's number, as Paystack's samples have it."""
CURRENCIES = ("GHS", "KES", "NGN", "ZAR", "USD")
POCKETS = ("uncleared", "balance", "bank")
TRANSFER_CURRENCIES = ("GHS", "KES", "NGN", "ZAR")
REORDER_SECONDS = 600.0
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_CODE_LENGTH = 15


class Behaviour(BaseModel):
    """How the stand-in behaves when nothing goes wrong; seconds are in its own, compressible time.

    `settle_seconds` None leaves settlements to the control panel; `settle_every_seconds` gathers them, 86400 at
    midnight. Webhooks are retried as the key's mode says, unless `retries` says otherwise. `calls_per_minute` 0 refuses
    no call for being one too many.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook_url: str | None = None
    approval_url: str | None = None
    retries: Literal["test", "live"] | None = None
    calls_per_minute: int = Field(default=0, ge=0)
    settles_to: Literal["balance", "bank"] = "balance"
    settle_seconds: float | None = Field(default=0.0, ge=0.0)
    settle_every_seconds: float = Field(default=0.0, ge=0.0)
    transfer_seconds: float = Field(default=0.0, ge=0.0)
    refund_seconds: float = Field(default=0.0, ge=0.0)
    customer_bears_fee: bool = False
    late_seconds: float = Field(default=25 * 3600.0, ge=0.0)
    dispute_seconds: float = Field(default=16 * 3600.0, gt=0.0)
    remind_seconds: float = Field(default=4 * 3600.0, gt=0.0)
    hold_seconds: float = 120.0
    fees: FeeTable = FeeTable()


class Sim:
    """One merchant's account at the stand-in."""

    def __init__(
        self,
        *,
        secret: SecretKey,
        behaviour: Behaviour,
        store: Store,
        clock: SimClock,
        chance: random.Random,
        mischief: random.Random,
    ) -> None:
        """Continue from what the store holds, never earlier in time than its last line.

        Codes are drawn from `chance`, faults that have a rate from `mischief`.
        """
        self.secret = secret
        self.behaviour = behaviour
        self.store = store
        self.indexes = Indexes(store)
        self.clock = clock
        self.faults = Faults(mischief)
        self.base_url = ""
        self._minute, self._calls = "", 0
        self._chance = chance
        self._pockets: dict[tuple[str, str], int] = {}
        for line in store.journal.all():
            self._pockets[line.pocket, line.currency] = line.balance_minor
            clock.not_before(line.at)

    @property
    def mode(self) -> Mode:
        """Test or live, as the key says."""
        return self.secret.mode

    @property
    def retries(self) -> Mode:
        """Whose schedule webhooks are tried again on."""
        return self.mode if self.behaviour.retries is None else Mode(self.behaviour.retries)

    def count_call(self) -> float:
        """Count a call; return the seconds to wait if it is one too many in its minute, else 0."""
        minute, limit = self.clock.text()[:16], self.behaviour.calls_per_minute
        if minute != self._minute:
            self._minute, self._calls = minute, 0
        self._calls += 1
        return 60.0 - self.clock.now().second if 0 < limit < self._calls else 0.0

    def code(self, prefix: str = "") -> str:
        """A code that was never given out before."""
        return (
            prefix
            + "".join(self._chance.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
            + format(self.store.next_id(), "x")
        )

    def held_minor(self, pocket: str, currency: str) -> int:
        """What a pocket holds."""
        return self._pockets.get((pocket, currency), 0)

    def move(
        self, kind: str, pocket: str, currency: str, difference_minor: int, reference: str, object_id: int
    ) -> None:
        """Move money in (positive) or out of a pocket and write it down; nothing is written for nothing."""
        if difference_minor == 0:
            return
        self._pockets[pocket, currency] = self.held_minor(pocket, currency) + difference_minor
        line = JournalLine(
            id=self.store.next_id(),
            at=self.clock.text(),
            kind=kind,
            pocket=pocket,
            currency=currency,
            difference_minor=difference_minor,
            balance_minor=self._pockets[pocket, currency],
            reference=reference,
            object_id=object_id,
        )
        self.store.journal.put(str(line.id), line)

    def later(self, seconds: float, action: str, key: str, argument: str = "") -> None:
        """Let an action happen by itself after so many seconds of the stand-in's time."""
        task = TaskRecord(
            id=self.store.next_id(), due_at=self.clock.text(seconds), action=action, key=key, argument=argument
        )
        self.store.tasks.put(str(task.id), task)

    def announce(self, event: str, reference: str, data: Mapping[str, object]) -> None:
        """Send a webhook soon: twice, late or never if a fault says so."""
        places = {"webhook", event.partition(".")[0]}
        fault = self.faults.take(places, {"event": event, "reference": reference}, faults.WEBHOOK)
        delivery = DeliveryRecord(
            id=self.store.next_id(),
            event=event,
            reference=reference,
            body=self.body(event, data),
            created_at=self.clock.text(),
            state="lost" if fault is not None and fault.kind == "lost_webhook" else "pending",
        )
        self.store.deliveries.put(str(delivery.id), delivery)
        for delay_seconds in self._delays(fault):
            self.later(delay_seconds, "webhook", str(delivery.id))

    def body(self, event: str, data: Mapping[str, object]) -> str:
        """What a webhook says, exactly as it is signed and sent."""
        return json.dumps({"event": event, "data": data}, separators=(",", ":"))

    def _delays(self, fault: Fault | None) -> tuple[float, ...]:
        """When it is sent; a reordered one comes at a random moment of its delay, so later ones may overtake it."""
        match "" if fault is None else fault.kind, 0.0 if fault is None else fault.delay_seconds:
            case "lost_webhook", _:
                return ()
            case "duplicate_webhook", seconds:
                return (0.0, seconds)
            case "reorder_webhook", seconds:
                return (self.faults.share(seconds or REORDER_SECONDS),)
            case _, seconds:
                return (seconds,)
