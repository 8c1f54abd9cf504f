"""Double entry: the chart of accounts, and journals that refuse to exist unbalanced.

A posting's amount is signed: a debit is positive, a credit negative. An account's balance is the sum of its postings,
so assets and expenses are positive, liabilities, equity and income negative, and all accounts together are zero.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from domain.money import MAX_AMOUNT_MINOR


class Account(StrEnum):
    """The chart of accounts. Every account exists once per currency; the postings name the transaction."""

    UNCLEARED = "paystack:uncleared"  # A1: charged, not yet in the balance or the bank
    BALANCE = "paystack:balance"  # A2: equals GET /balance
    TRANSFERS_IN_TRANSIT = "paystack:transfers_in_transit"  # A3
    REFUNDS_IN_TRANSIT = "paystack:refunds_in_transit"  # A4
    BANK = "bank:operating"  # A5
    SELLER_RECEIVABLE = "receivable:seller"  # A6, subject: the seller
    DIFFERENCES = "suspense:processor_differences"  # A7
    RECOVERIES = "clearing:recoveries"  # A8, subject: the seller; between two sales of his, zero after every append
    HELD = "escrow:held"  # L1
    SELLER_PAYABLE = "seller:payable"  # L2
    SELLER_RESERVE = "seller:reserve"  # L3
    PAYOUT_IN_FLIGHT = "payout:in_flight"  # L4, subject: the payout's reference
    REFUND_DUE = "buyer:refund_due"  # L5
    COMPENSATION_DUE = "buyer:compensation_due"  # L6
    UNMATCHED_RECEIPTS = (
        "suspense:unmatched_receipts"  # L7, subject: the charge's reference, none for a receipt that nobody knows
    )
    TAX_PAYABLE = "tax:payable"  # L8
    CAPITAL = "equity:capital"  # Q1
    PLATFORM_FEE = "revenue:platform_fee"  # R1
    FEE_SURCHARGE = "revenue:fee_surcharge"  # R2
    CHARGE_FEE = "expense:processor_charge_fee"  # E1
    TRANSFER_FEE = "expense:processor_transfer_fee"  # E2
    COMPENSATION = "expense:compensation"  # E3
    LOSSES = "expense:losses"  # E4
    DISPUTE_FEE = "expense:dispute_fee"  # E5
    DIFFERENCES_EXPENSE = "expense:differences"  # E6


SAFEGUARDED_ASSETS = (
    Account.UNCLEARED,
    Account.BALANCE,
    Account.TRANSFERS_IN_TRANSIT,
    Account.REFUNDS_IN_TRANSIT,
    Account.BANK,
)
CLIENT_LIABILITIES = (
    Account.HELD,
    Account.SELLER_PAYABLE,
    Account.SELLER_RESERVE,
    Account.PAYOUT_IN_FLIGHT,
    Account.REFUND_DUE,
    Account.COMPENSATION_DUE,
    Account.UNMATCHED_RECEIPTS,
    Account.TAX_PAYABLE,
)
BUYER_CLAIMS = (
    Account.HELD,
    Account.REFUND_DUE,
    Account.COMPENSATION_DUE,
    Account.UNMATCHED_RECEIPTS,
)
SELLER_CLAIMS = (
    Account.SELLER_PAYABLE,
    Account.SELLER_RESERVE,
    Account.SELLER_RECEIVABLE,
)
"""What a party's statement shows: what the platform owes the person, and what the person owes the platform.

A payout in flight belongs to whom it is for. Commission, taxes and the processor's fees are the platform's own lines.
"""
PER_TRANSACTION = (
    Account.HELD,
    Account.SELLER_PAYABLE,
    Account.SELLER_RESERVE,
    Account.PAYOUT_IN_FLIGHT,
    Account.REFUND_DUE,
    Account.COMPENSATION_DUE,
    Account.TRANSFERS_IN_TRANSIT,
    Account.REFUNDS_IN_TRANSIT,
)
"""What is zero for a transaction that is over."""


class Posting(NamedTuple):
    """One line of a journal: `amount_minor` is debited when positive, credited when negative."""

    account: Account
    subject: str
    amount_minor: int


Postings = tuple[Posting, ...]


class UnbalancedJournal(AssertionError):
    """The postings of a journal do not sum to zero: a defect of this program, never of its user."""


def debit(account: Account, amount_minor: int, subject: str = "") -> Posting:
    """Return a debit of a non-negative amount in minor units."""
    return Posting(account, subject, amount_minor)


def credit(account: Account, amount_minor: int, subject: str = "") -> Posting:
    """Return a credit of a non-negative amount in minor units."""
    return Posting(account, subject, -amount_minor)


def journal(*postings: Posting) -> Postings:
    """Return the balanced lines without those of zero; raise `UnbalancedJournal` for anything else."""
    lines = tuple(line for line in postings if line.amount_minor != 0)
    check_balanced(lines)
    return lines


def check_balanced(postings: Iterable[Posting]) -> None:
    """Raise `UnbalancedJournal` unless the lines sum to zero and each is a whole number in range."""
    lines = tuple(postings)
    if any(type(line.amount_minor) is not int or abs(line.amount_minor) > MAX_AMOUNT_MINOR for line in lines):
        raise UnbalancedJournal(lines)
    if sum(line.amount_minor for line in lines) != 0:
        raise UnbalancedJournal(lines)
