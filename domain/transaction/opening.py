"""Opening a transaction on an approved listing, and ending it while no money has come."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from domain.actor import PARTIES, Role
from domain.command import Stream
from domain.errors import Forbidden, Invalid, NotFound, Refused
from domain.event import Context, CreatedEvent
from domain.listing import Listing
from domain.listing.sale import ListingNotForSale
from domain.money import Currency, Money
from domain.policy import Terms
from domain.transaction.event import TransactionEvent
from domain.transaction.phase import Phase
from domain.transaction.state import TransactionState


class SelfDealing(Invalid):
    """A seller cannot buy his own listing."""

    code = "self_dealing"


class MoneyReceived(Refused):
    """Money has been received, and is not held any more: it can only be refunded, not cancelled."""

    code = "money_received"


class AlreadyEnded(Refused):
    """The transaction has ended."""

    code = "already_ended"


class NotDueYet(Refused):
    """The deadline has not passed yet."""

    code = "not_due_yet"


class UsdRateInvalid(Invalid):
    """A rate is a positive decimal number of units per US dollar, of the currency that it is applied to."""

    code = "usd_rate_invalid"


class TransactionOpened(CreatedEvent):
    """A buyer reserved a listing; price, fees and deadlines are fixed from here on.

    `amount_usd_cents` is the price in US dollars at `usd_rate` (units of the currency per dollar) of `usd_rate_on`: for
    limits and reports, never for moving money.
    """

    TOPIC = "transaction.opened.v1"
    listing_id: UUID
    vault_id: UUID
    buyer_id: UUID
    seller_id: UUID
    price: Money
    amount_usd_cents: int
    usd_rate: str
    usd_rate_on: str
    terms: Terms
    payment_due_at: datetime


class TransactionCancelled(TransactionEvent):
    """A party ended it before any money came."""

    TOPIC = "transaction.cancelled.v1"
    by: Role
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """It is over; a payment that still comes is late."""
        transaction.ended_as = Phase.CANCELLED.value


class TransactionExpired(TransactionEvent):
    """Nobody paid in time."""

    TOPIC = "transaction.expired.v1"
    deadline: datetime
    which: str

    def change(self, transaction: TransactionState) -> None:
        """It is over; a payment that still comes is late."""
        transaction.ended_as = Phase.EXPIRED.value


class OpeningTrack(TransactionState):
    """Opening, cancelling and expiring."""

    @classmethod
    def open(cls, transaction_id: UUID, context: Context, listing: Listing, rate: "UsdRate", terms: Terms) -> Self:
        """Return a new transaction on an approved listing, reserved in the same append.

        Raises `ListingNotForSale`, `SelfDealing`, `Forbidden` for staff and the program, who do not buy, `NotFound` for
        a listing that the buyer cannot see, and `TermsInvalid` for periods that the contract could not state.
        """
        if context.actor.role not in PARTIES:
            raise Forbidden
        if not listing.may_see(context.actor):
            raise NotFound
        if context.actor.id == str(listing.seller_id):
            raise SelfDealing
        if listing.vault_id is None:
            raise ListingNotForSale
        terms.require_whole_hours()
        with listing.acting(context):
            listing.reserve(transaction_id)
        return cls.start(
            TransactionOpened,
            transaction_id,
            context,
            listing_id=listing.id,
            vault_id=listing.vault_id,
            buyer_id=UUID(context.actor.id),
            seller_id=listing.seller_id,
            price=listing.price,
            amount_usd_cents=rate.usd_cents(listing.price),
            usd_rate=rate.units_per_usd,
            usd_rate_on=rate.on,
            terms=terms,
            payment_due_at=context.at + timedelta(seconds=terms.payment_seconds),
        )

    def check_cancel(self) -> None:
        """Raise unless a party asks while no money has come."""
        self.require_party()
        self._require_unpaid()

    def cancel(self, reason: str) -> None:
        """A party ends the transaction while no money has come."""
        self.check_cancel()
        self.record(TransactionCancelled, by=self.actor_on_record().role, reason=reason)

    def expire(self) -> None:
        """The clock ends a transaction that nobody paid in time; `NotDueYet` before that."""
        self.require_system()
        self._require_unpaid()
        if self.now < self.payment_due_at:
            raise NotDueYet(possible_at=self.payment_due_at.isoformat())
        self.record(TransactionExpired, deadline=self.payment_due_at, which="payment")

    def _require_unpaid(self) -> None:
        if self.ended_as is not None:
            raise AlreadyEnded
        if self.was_paid:
            raise MoneyReceived


@dataclass(frozen=True, slots=True, kw_only=True)
class UsdRate:
    """Units of `currency` per US dollar on a date (ISO 8601); a decimal in text, so that no float is ever involved."""

    currency: Currency
    units_per_usd: str
    on: str
    _ratio: tuple[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raise `UsdRateInvalid` for what is not a positive decimal number."""
        whole, _, fraction = self.units_per_usd.partition(".")
        if not (whole + fraction).isascii() or not (whole + fraction).isdigit() or not int(whole + fraction):
            raise UsdRateInvalid
        object.__setattr__(self, "_ratio", (int(whole + fraction), 10 ** len(fraction)))

    def usd_cents(self, price: Money) -> int:
        """Return the price in US cents, rounded down. Raises `UsdRateInvalid` for another currency."""
        if price.currency is not self.currency:
            raise UsdRateInvalid
        units, scale = self._ratio
        return price.amount_minor * scale // units


def listing_stream(listing_id: UUID) -> Stream:
    """Return the stream of a listing."""
    return Stream(Listing, listing_id)
