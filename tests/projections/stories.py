"""Stories that the tests tell the log: domain objects act, and what they recorded is appended."""

import hashlib
import itertools
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import psycopg

from domain.actor import Actor, Role, reaction
from domain.aggregate import Aggregate
from domain.event import Context, Event
from domain.ids import uuid7
from domain.listing import Listing
from domain.listing.commands import DepositCredentials, DraftListing
from domain.money import Currency, Money
from domain.policy import Terms
from domain.transaction import Transaction
from domain.transaction.opening import UsdRate
from domain.transaction.payment import ConfirmedCharge
from domain.transaction.payout import PayoutPurpose
from domain.transaction.refund import ProcessorRefundStatus, RefundReport
from domain.transaction.transfer import TransferReport, TransferStatus
from domain.vault import Vault
from eventstore.transcoder import encode
from projections.reader import get_head

START = datetime(2026, 1, 1, tzinfo=UTC)
SYSTEM = reaction("tests")

APPEND = """
INSERT INTO public.escrow_events
    (originator_id, originator_version, topic, state, notification_id, recorded_at, leaf_hash)
SELECT e.stream_id, e.version, e.topic, e.state, e.position, e.recorded_at,
       public.leaf_hash_of(e.position, e.stream_id, e.version, e.topic, e.recorded_at, e.state)
FROM (
    SELECT u.*, %(head)s::bigint + u.place AS position,
           %(start)s::timestamptz + (%(head)s::bigint + u.place) * interval '1 second' AS recorded_at
    FROM unnest(%(streams)s::uuid[], %(versions)s::bigint[], %(topics)s::text[], %(states)s::bytea[])
         WITH ORDINALITY AS u (stream_id, version, topic, state, place)
) AS e
"""


class Story:
    """Acts in virtual time, reproducibly from a seed; `events` is what would stand in the log, in order."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.at = START + timedelta(seconds=seed)
        self.events: list[Event] = []
        self.admin = self.person(Role.ADMIN)
        self.chief = self.person(Role.SUPER_ADMIN)
        self.second_chief = self.person(Role.SUPER_ADMIN)
        self.commands = itertools.count(1)

    def id(self) -> UUID:
        return uuid7(self.at, self.random.randbytes)

    def person(self, role: Role) -> Actor:
        return Actor(str(self.id()), role)

    def context(self, actor: Actor) -> Context:
        digest = hashlib.sha256(f"{self.at}{next(self.commands)}{actor.id}".encode()).hexdigest()
        return Context(at=self.at, actor=actor, command_id=digest, request_digest=digest, request_id="r" * 26)

    def wait(self, **time: float) -> None:
        self.at += timedelta(**time)

    def keep(self, aggregate: Aggregate) -> None:
        self.events.extend(cast("list[Event]", list(aggregate.collect_events())))

    def act(self, aggregate: Aggregate, actor: Actor, action: Callable[[], None]) -> None:
        with aggregate.acting(self.context(actor)):
            action()
        self.keep(aggregate)
        self.wait(seconds=1)

    def list_account(self, price_minor: int = 100_000) -> "Sale":
        """A seller drafts, deposits and submits; an admin approves."""
        sale = Sale(self, price_minor)
        sale.list_account()
        return sale

    def sell(self, price_minor: int = 100_000) -> "Sale":
        """The happy path, to the end."""
        sale = self.list_account(price_minor)
        sale.finish()
        return sale


class Sale:
    """One listing and its transaction."""

    def __init__(self, story: Story, price_minor: int) -> None:
        self.story = story
        self.price = Money(price_minor, Currency.KES)
        self.seller = story.person(Role.SELLER)
        self.buyer = story.person(Role.BUYER)
        self.listing: Listing
        self.vault: Vault
        self.transaction: Transaction

    def act(self, actor: Actor, action: Callable[[], None]) -> None:
        self.story.act(self.transaction, actor, action)

    def list_account(self) -> None:
        story, seller = self.story, self.seller
        draft = DraftListing(
            seller_id=UUID(seller.id), price=self.price, content_id=story.id(), content_sha256="a" * 64
        )
        self.listing = draft.create(story.id(), story.context(seller))
        story.keep(self.listing)
        deposit = DepositCredentials(
            listing_id=self.listing.id,
            ciphertext=story.random.randbytes(300),
            commitment_sha256="c" * 64,
            suite="hpke-x25519",
            seller_key_fingerprint="f" * 64,
        )
        self.vault = deposit.create(story.id(), story.context(seller), self.listing)
        story.keep(self.vault)
        story.keep(self.listing)
        story.act(self.listing, seller, self.listing.submit)
        story.act(self.listing, story.admin, self.listing.approve)

    def open(self) -> None:
        story = self.story
        rate = UsdRate(currency=Currency.KES, units_per_usd="129.5", on="2026-01-01")
        self.transaction = Transaction.open(story.id(), story.context(self.buyer), self.listing, rate, Terms())
        story.keep(self.transaction)
        story.keep(self.listing)

    def pay(self) -> None:
        self.act(self.buyer, self.transaction.request_payment)
        charge = ConfirmedCharge(
            reference=self.transaction.payment_reference or "",
            processor_id=str(self.story.random.getrandbits(40)),
            amount_minor=self.price.amount_minor,
            requested_minor=None,
            currency=self.price.currency,
            fee_minor=self.price.amount_minor * 15 // 1000,
            channel="card",
            paid_at=self.story.at,
            verified_by="poll",
        )
        self.act(SYSTEM, lambda: self.transaction.record_charge(charge))

    def sign(self) -> None:
        key = "b" * 64
        self.act(
            SYSTEM, lambda: self.transaction.generate_contract(self.story.id(), "d" * 64, "2026-11", key, "f" * 64)
        )
        self.act(self.buyer, lambda: self.transaction.sign_contract("d" * 64, "e" * 64, ("read",)))
        self.act(self.seller, lambda: self.transaction.sign_contract("d" * 64, "e" * 64, (), key))

    def reveal(self) -> None:
        self.act(self.buyer, lambda: self.transaction.reveal("plaintext"))
        self.act(self.buyer, self.transaction.acknowledge_reveal)
        self.story.act(self.vault, SYSTEM, lambda: self.vault.destroy("acknowledged"))

    def confirm(self) -> None:
        self.act(self.buyer, lambda: self.transaction.confirm_access(("I have access",)))

    def pay_out(self, status: TransferStatus = TransferStatus.SUCCESS, fee_minor: int | None = 20) -> None:
        self.act(SYSTEM, lambda: self.transaction.request_payout(PayoutPurpose.SELLER, "RCP_1"))
        reference = list(self.transaction.payouts)[-1]
        pending = TransferReport(reference=reference, status=TransferStatus.PENDING, transfer_code="TRF_1")
        self.act(SYSTEM, lambda: self.transaction.record_transfer(pending))
        self.report_transfer(status, fee_minor)

    def report_transfer(self, status: TransferStatus, fee_minor: int | None) -> None:
        reference = list(self.transaction.payouts)[-1]
        report = TransferReport(reference=reference, status=status, fee_minor=fee_minor, reason="the bank said no")
        self.act(SYSTEM, lambda: self.transaction.record_transfer(report))

    def notify(self, template: str) -> None:
        users = (self.transaction.buyer_id, self.transaction.seller_id)
        self.act(SYSTEM, lambda: self.transaction.record_notice(template, "email", users, "sent"))

    def end(self, *, sold: bool) -> None:
        self.story.act(
            self.listing, SYSTEM, lambda: self.listing.follow_end(self.transaction.id, sold=sold, shown=sold)
        )

    def refund_all(self) -> None:
        reference = list(self.transaction.refunds)[-1]
        for status in (ProcessorRefundStatus.PENDING, ProcessorRefundStatus.PROCESSED):
            report = RefundReport(reference=reference, status=status, processor_refund_id="77")
            self.act(SYSTEM, lambda report=report: self.transaction.record_refund(report))

    def steps(self) -> list[Callable[[], None]]:
        """The happy path in steps, so that several sales can be told at the same time."""
        return [
            self.open,
            self.pay,
            self.sign,
            lambda: self.notify("contract_signed"),
            self.reveal,
            self.confirm,
            self.pay_out,
            lambda: self.end(sold=True),
            lambda: self.notify("completed"),
        ]

    def finish(self) -> None:
        for step in self.steps():
            step()


def append(connection: psycopg.Connection, events: Sequence[Event], chunk: int = 5_000, *, says: bool = True) -> int:
    """Write the events to the log as its owner, with dense positions, and say so; return the new head."""
    head = get_head(connection)
    for start in range(0, len(events), chunk):
        part = events[start : start + chunk]
        connection.execute(
            APPEND,
            {
                "head": head,
                "start": START,
                "streams": [event.originator_id for event in part],
                "versions": [event.originator_version for event in part],
                "topics": [event.TOPIC for event in part],
                "states": [encode(event) for event in part],
            },
        )
        head += len(part)
    if says:
        connection.execute("NOTIFY escrow_events")
    connection.commit()
    return head
