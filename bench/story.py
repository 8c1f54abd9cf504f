"""Sales as they happen, told through the domain in virtual time: the material of logs that are as good as real."""

import hashlib
import itertools
import random
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

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

START = datetime(2026, 1, 1, tzinfo=UTC)
SYSTEM = reaction("bench")
RATE = UsdRate(currency=Currency.KES, units_per_usd="129.5", on="2026-01-01")
AT_ONCE = 1_000
ABANDONED, REFUNDED = 0.1, 0.2

Step = Callable[[], list[Event]]
"""Carries out one command, and returns the events of it."""


class Teller:
    """Tells reproducibly, from a seed; every command's events come as one list."""

    def __init__(self, seed: int = 1) -> None:
        """Nothing has happened yet."""
        self.random = random.Random(seed)
        self.at = START
        self.admin = self.person(Role.ADMIN)
        self._numbers = itertools.count(1)
        self._seed = seed

    def id(self) -> UUID:
        """A new identifier."""
        return uuid7(self.at, self.random.randbytes)

    def person(self, role: Role) -> Actor:
        """Somebody new."""
        return Actor(str(self.id()), role)

    def context(self, actor: Actor) -> Context:
        """One command, half a second after the one before."""
        self.at += timedelta(milliseconds=500)
        digest = hashlib.sha256(f"{self._seed} {next(self._numbers)}".encode()).hexdigest()
        return Context(at=self.at, actor=actor, command_id=digest, request_digest=digest, request_id=digest[:26])


class Sale:
    """A listing, its deposit and its transaction; each step returns the events of one command."""

    listing: Listing
    vault: Vault
    transaction: Transaction

    def __init__(self, teller: Teller) -> None:
        """People and a price."""
        self.teller = teller
        self.seller = teller.person(Role.SELLER)
        self.buyer = teller.person(Role.BUYER)
        self.price = Money(teller.random.randrange(1_000, 5_000_000), Currency.KES)
        self.fate = teller.random.random()

    def draft(self) -> list[Event]:
        """The seller describes an account."""
        teller = self.teller
        command = DraftListing(
            seller_id=UUID(self.seller.id), price=self.price, content_id=teller.id(), content_sha256="a" * 64
        )
        self.listing = command.create(teller.id(), teller.context(self.seller))
        return collect(self.listing)

    def deposit(self) -> list[Event]:
        """The seller seals the credentials."""
        teller = self.teller
        command = DepositCredentials(
            listing_id=self.listing.id,
            ciphertext=teller.random.randbytes(300),
            commitment_sha256="c" * 64,
            suite="hpke-x25519",
            seller_key_fingerprint="f" * 64,
        )
        self.vault = command.create(teller.id(), teller.context(self.seller), self.listing)
        return collect(self.vault, self.listing)

    def submit(self) -> list[Event]:
        """The seller asks for vetting."""
        return self._act(self.listing, self.seller, self.listing.submit)

    def approve(self) -> list[Event]:
        """Staff let it be sold."""
        return self._act(self.listing, self.teller.admin, self.listing.approve)

    def open(self) -> list[Event]:
        """The buyer reserves it."""
        teller = self.teller
        self.transaction = Transaction.open(teller.id(), teller.context(self.buyer), self.listing, RATE, Terms())
        return collect(self.transaction, self.listing)

    def request_payment(self) -> list[Event]:
        """The buyer asks for a payment page."""
        return self._act(self.transaction, self.buyer, self.transaction.request_payment)

    def pay(self) -> list[Event]:
        """The processor confirms the charge."""
        charge = self.charge()
        return self._act(self.transaction, SYSTEM, lambda: self.transaction.record_charge(charge))

    def pay_without_fee(self) -> list[Event]:
        """The same while the processor does not know its fee yet."""
        charge = replace(self.charge(), fee_minor=None)
        return self._act(self.transaction, SYSTEM, lambda: self.transaction.record_charge(charge))

    def charge(self) -> ConfirmedCharge:
        """What the processor says about it, the same each time but for the moment."""
        return ConfirmedCharge(
            reference=self.transaction.payment_reference or "",
            processor_id=str(self.transaction.id.int % 2**40),
            amount_minor=self.price.amount_minor,
            requested_minor=None,
            currency=self.price.currency,
            fee_minor=self.price.amount_minor * 15 // 1000,
            channel="card",
            paid_at=self.teller.at,
            verified_by="poll",
        )

    def contract(self) -> list[Event]:
        """The text is there."""
        generate = self.transaction.generate_contract
        return self._act(
            self.transaction, SYSTEM, lambda: generate(self.teller.id(), "d" * 64, "2026-11", "b" * 64, "f" * 64)
        )

    def buyer_signs(self) -> list[Event]:
        """The first signature."""
        return self._act(
            self.transaction, self.buyer, lambda: self.transaction.sign_contract("d" * 64, "e" * 64, ("read",))
        )

    def seller_signs(self) -> list[Event]:
        """The second, with the grant of the credentials."""
        sign = self.transaction.sign_contract
        return self._act(self.transaction, self.seller, lambda: sign("d" * 64, "e" * 64, (), "b" * 64))

    def reveal(self) -> list[Event]:
        """The buyer sees them."""
        return self._act(self.transaction, self.buyer, lambda: self.transaction.reveal("plaintext"))

    def acknowledge(self) -> list[Event]:
        """The buyer has them."""
        return self._act(self.transaction, self.buyer, self.transaction.acknowledge_reveal)

    def confirm(self) -> list[Event]:
        """The buyer accepts; the seller is owed."""
        return self._act(self.transaction, self.buyer, lambda: self.transaction.confirm_access(("I have access",)))

    def request_payout(self) -> list[Event]:
        """The intent to pay the seller."""
        request = self.transaction.request_payout
        return self._act(self.transaction, SYSTEM, lambda: request(PayoutPurpose.SELLER, "RCP_1"))

    def transfer(self) -> list[Event]:
        """The seller is paid."""
        reference = list(self.transaction.payouts)[-1]
        report = TransferReport(reference=reference, status=TransferStatus.SUCCESS, fee_minor=20)
        return self._act(self.transaction, SYSTEM, lambda: self.transaction.record_transfer(report))

    def call_off(self) -> list[Event]:
        """The buyer has second thoughts; before the payment that is the end of it."""
        return self._act(self.transaction, self.buyer, lambda: self.transaction.cancel("changed my mind"))

    def agree(self) -> list[Event]:
        """So has the seller; the buyer is owed."""
        return self._act(self.transaction, self.seller, lambda: self.transaction.cancel("fine with me"))

    def refunded(self) -> list[Event]:
        """The buyer has his money back."""
        reference = list(self.transaction.refunds)[-1]
        status = ProcessorRefundStatus.PROCESSED
        report = RefundReport(reference=reference, status=status, processor_refund_id="77")
        return self._act(self.transaction, SYSTEM, lambda: self.transaction.record_refund(report))

    def end(self) -> list[Event]:
        """The listing is sold, or for sale again."""
        sold = self.fate >= REFUNDED
        follow = self.listing.follow_end
        return self._act(self.listing, SYSTEM, lambda: follow(self.transaction.id, sold=sold, shown=sold))

    def notify(self) -> list[Event]:
        """Both parties are told."""
        users = (self.transaction.buyer_id, self.transaction.seller_id)
        notice = self.transaction.record_notice
        return self._act(self.transaction, SYSTEM, lambda: notice("progress", "email", users, "sent"))

    def beginning(self) -> list[Step]:
        """Up to the payment page."""
        return [self.draft, self.deposit, self.submit, self.approve, self.open, self.request_payment]

    def steps(self) -> list[Step]:
        """One in ten is never paid, one in ten is refunded, the rest goes well."""
        if self.fate < ABANDONED:
            return [*self.beginning(), self.call_off, self.end]
        paid = [*self.beginning(), self.pay, self.notify, self.contract, self.buyer_signs]
        if self.fate < REFUNDED:
            return [*paid, self.call_off, self.agree, self.refunded, self.notify, self.end]
        signed = [*paid, self.seller_signs, self.notify, self.reveal, self.acknowledge]
        return [*signed, self.confirm, self.request_payout, self.transfer, self.end, self.notify]

    def _act(self, aggregate: Aggregate, actor: Actor, action: Callable[[], None]) -> list[Event]:
        with aggregate.acting(self.teller.context(actor)):
            action()
        return collect(aggregate)


def collect(*aggregates: Aggregate) -> list[Event]:
    """What they have recorded since they were asked last."""
    return [event for aggregate in aggregates for event in cast("Sequence[Event]", aggregate.collect_events())]


def tell(teller: Teller, at_once: int = AT_ONCE) -> Generator[list[Event]]:
    """Yield the events of one command after another, for ever, of many sales that go on at the same time."""
    going = [iter(Sale(teller).steps()) for _ in range(at_once)]
    while True:
        place = teller.random.randrange(at_once)
        step = next(going[place], None)
        if step is None:
            going[place] = iter(Sale(teller).steps())
        else:
            yield step()
