"""The phase of a transaction: the runbook's one word, derived from its tracks. The first match decides."""

from enum import StrEnum
from typing import TYPE_CHECKING

from domain.journal import Account
from domain.transaction.records import (
    ContractStatus,
    PaymentStatus,
    PayoutPurpose,
    PayoutStatus,
    SettlementStatus,
    VaultStatus,
)

if TYPE_CHECKING:
    from domain.transaction.state import TransactionState


class Phase(StrEnum):
    """What the `state` column of `transactions` says."""

    PENDING = "pending"
    FUNDS_HELD = "funds_held"
    CONTRACT_SIGNED = "contract_signed"
    CREDENTIALS_RELEASED = "credentials_released"
    RELEASING = "releasing"
    COMPLETED = "completed"
    REFUNDING = "refunding"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    PAYOUT_FAILED = "payout_failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SPLIT = "split"
    CHARGED_BACK = "charged_back"


TERMINAL = frozenset({Phase.COMPLETED, Phase.REFUNDED, Phase.CANCELLED, Phase.EXPIRED, Phase.SPLIT, Phase.CHARGED_BACK})

SOURCES = {
    PayoutPurpose.SELLER: Account.SELLER_PAYABLE,
    PayoutPurpose.REFUND: Account.REFUND_DUE,
    PayoutPurpose.COMPENSATION: Account.COMPENSATION_DUE,
}


RETURNED_TO_BUYER = {SettlementStatus.RETURNED: Phase.REFUNDED, SettlementStatus.SPLIT: Phase.SPLIT}


def phase_of(transaction: "TransactionState") -> Phase:
    """Return the first phase that matches, in the order of docs/explanation/phases-and-tracks.md."""
    if transaction.charged_back_minor:
        return Phase.CHARGED_BACK
    if transaction.ended_as is not None:
        return Phase(transaction.ended_as)
    if transaction.settlement is SettlementStatus.NONE:
        return Phase.DISPUTED if transaction.has_open_dispute else Phase.PENDING
    if transaction.settlement is SettlementStatus.HELD:
        return _while_held(transaction)
    return _while_settling(transaction)


def _while_held(transaction: "TransactionState") -> Phase:
    if transaction.has_open_dispute:
        return Phase.DISPUTED
    if has_failed_payout(transaction):
        return Phase.PAYOUT_FAILED
    if transaction.vault in {VaultStatus.REVEALED, VaultStatus.ACKNOWLEDGED}:
        return Phase.CREDENTIALS_RELEASED
    if transaction.contract is ContractStatus.SIGNED:
        return Phase.CONTRACT_SIGNED
    return Phase.FUNDS_HELD if transaction.payment is PaymentStatus.RECEIVED else Phase.PENDING


def _while_settling(transaction: "TransactionState") -> Phase:
    flat = transaction.is_flat
    if flat and transaction.settlement in RETURNED_TO_BUYER:
        return RETURNED_TO_BUYER[transaction.settlement]
    if transaction.has_open_dispute:
        return Phase.DISPUTED
    if has_failed_payout(transaction):
        return Phase.PAYOUT_FAILED
    if flat:
        return Phase.COMPLETED
    to_buyer = transaction.settlement is SettlementStatus.RETURNED or not _is_owed_to_seller(transaction)
    return Phase.REFUNDING if to_buyer else Phase.RELEASING


def _is_owed_to_seller(transaction: "TransactionState") -> bool:
    accounts = (Account.SELLER_PAYABLE, Account.SELLER_RESERVE, Account.PAYOUT_IN_FLIGHT)
    return any(transaction.owed(account) for account in accounts)


FAILED = frozenset({PayoutStatus.FAILED, PayoutStatus.REVERSED})


def has_failed_payout(transaction: "TransactionState") -> bool:
    """True when the last attempt to pay somebody failed for good or was reversed, and the money is still owed to him.

    An attempt that the program is going to repeat by itself has not failed for good.
    """
    if not transaction.payouts:
        return False
    return bool(failed_purposes(transaction))


def failed_purposes(transaction: "TransactionState") -> frozenset[PayoutPurpose]:
    """Return the purposes whose last payout waits for a person."""
    last = transaction.last_payouts().values()
    waiting = (payout.purpose for payout in last if payout.status in FAILED and payout.retry_at is None)
    return frozenset(purpose for purpose in waiting if transaction.payable_minor(purpose) > 0)
