"""The rules of payouts: what must hold of a payout, or of the money it is for, just before each of its events."""

from collections.abc import Callable

from domain.actor import IN_CHARGE, Role
from domain.transaction import Transaction
from domain.transaction.attempt import PayoutGivenUp, PayoutPaidAfterAll, PayoutRetryScheduled, PayoutReversalSeen
from domain.transaction.attention import (
    PayoutFinalized,
    PayoutOtpRefused,
    PayoutOtpResendOrdered,
    PayoutOtpResent,
    PayoutOtpTyped,
)
from domain.transaction.cooling import PayoutAccountUnproven, PayoutWaitsForAccount
from domain.transaction.payout import (
    PayoutFailed,
    PayoutFeeAssessed,
    PayoutOtpRequired,
    PayoutRequested,
    PayoutReversed,
    PayoutSubmitted,
    PayoutSucceeded,
    PayoutUncertain,
)
from domain.transaction.phase import FAILED
from domain.transaction.records import Payout, PayoutPurpose, PayoutStatus
from domain.transaction.shortfall import PayoutWaitsForBalance
from replay.rules import Named, Rule, require

# Of what failed here and had been paid and taken back meanwhile, older logs have the fee and not the reversal.
MAY_HAVE_BEEN_PAID = frozenset({PayoutStatus.SUCCEEDED, PayoutStatus.REVERSED, PayoutStatus.FAILED})


def _when(holds: Callable[[Payout], bool]) -> Callable[[Transaction, Named], bool]:
    """Return whether there is the payout that an event names, and this holds of it."""

    def check(x: Transaction, e: Named) -> bool:
        payout = x.payouts.get(e.reference)
        return payout is not None and holds(payout)

    return check


_is_open = _when(lambda payout: payout.status.is_open)
_is_unaccepted = _when(lambda payout: payout.status.is_open and not payout.accepted)
_is_accepted = _when(lambda payout: payout.status.is_open and payout.accepted)
_was_accepted = _when(lambda payout: payout.accepted)
_waits_for_otp = _when(lambda payout: payout.status is PayoutStatus.OTP)
_has_failed = _when(lambda payout: payout.status in FAILED)
_counts_as_failed = _when(lambda payout: payout.status is PayoutStatus.FAILED)
_is_paid = _when(lambda payout: payout.status is PayoutStatus.SUCCEEDED)
_owes_no_fee_yet = _when(lambda payout: payout.status in MAY_HAVE_BEEN_PAID and payout.fee_minor is None)


def _is_payable(x: Transaction, e: PayoutRequested) -> bool:
    is_free = not any(p.purpose is e.purpose and p.status.is_open for p in x.payouts.values())
    is_new = e.reference not in x.payouts and not _is_too_early(x, e)
    return is_free and is_new and not _is_frozen(x, e.purpose) and 0 < e.amount_minor == x.payable_minor(e.purpose)


def _is_frozen(x: Transaction, purpose: PayoutPurpose) -> bool:
    """Logs from before returns were matched by the number of their charge have payouts of what was disputed by that."""
    named = {dispute.charge_reference for dispute in x.open_disputes}
    is_named = any(refund.charge_reference in named for refund in x.stray_returns)
    return x.is_frozen(purpose) and (is_named or purpose is not PayoutPurpose.REFUND)


def _is_too_early(x: Transaction, e: PayoutRequested) -> bool:
    """Reactions keep to what the transaction was told of the account; staff need not."""
    wait = x.account_waits.get(e.purpose)
    return e.actor_role is Role.SYSTEM and wait is not None and wait.holds(e.attempt, e.timestamp)


def _may_wait(x: Transaction, e: PayoutWaitsForAccount | PayoutAccountUnproven) -> bool:
    is_free = not any(p.purpose is e.purpose and p.status.is_open for p in x.payouts.values())
    return is_free and x.payable_minor(e.purpose) > 0 and e.attempt == x.next_attempt(e.purpose)


def _is_unsent(x: Transaction, e: PayoutWaitsForBalance) -> bool:
    return _is_unaccepted(x, e) and e.amount_minor == x.payouts[e.reference].amount_minor


def _may_be_finalized(x: Transaction, e: PayoutFinalized | PayoutOtpRefused | PayoutOtpResent) -> bool:
    return _was_accepted(x, e) and e.actor_role in IN_CHARGE


def _may_be_typed(x: Transaction, e: PayoutOtpTyped | PayoutOtpResendOrdered) -> bool:
    if not _waits_for_otp(x, e) or e.actor_role not in IN_CHARGE:
        return False
    payout = x.payouts[e.reference]
    return not x.is_frozen(payout.purpose) and not x.is_charged_back(payout)


T = Transaction
PAYOUT_RULES: dict[str, Rule] = dict(
    [
        require(T, PayoutRequested, "all that is payable, and no other payout of it under way", _is_payable),
        require(T, PayoutWaitsForAccount, "money that is owed and not on its way", _may_wait),
        require(T, PayoutAccountUnproven, "money that is owed and not on its way", _may_wait),
        require(T, PayoutWaitsForBalance, "a payout that was not sent, of this amount", _is_unsent),
        require(T, PayoutUncertain, "a payout under way", _is_open),
        require(T, PayoutOtpRequired, "a payout under way", _is_open),
        require(T, PayoutFailed, "a payout under way", _is_open),
        require(T, PayoutSubmitted, "a payout under way, not accepted yet", _is_unaccepted),
        require(T, PayoutSucceeded, "a payout under way, accepted", _is_accepted),
        require(T, PayoutOtpTyped, "a transfer that waits for a password, and somebody in charge", _may_be_typed),
        require(T, PayoutOtpRefused, "a transfer that was accepted, and somebody in charge", _may_be_finalized),
        require(T, PayoutFinalized, "a transfer that was accepted, and somebody in charge", _may_be_finalized),
        require(
            T, PayoutOtpResendOrdered, "a transfer that waits for a password, and somebody in charge", _may_be_typed
        ),
        require(T, PayoutOtpResent, "a transfer that was accepted, and somebody in charge", _may_be_finalized),
        require(T, PayoutReversed, "a payout that succeeded", _is_paid),
        require(T, PayoutRetryScheduled, "a payout that failed", _has_failed),
        require(T, PayoutGivenUp, "a payout that failed", _has_failed),
        require(T, PayoutPaidAfterAll, "a payout that failed and was not taken back", _counts_as_failed),
        require(T, PayoutReversalSeen, "a payout that failed and was not taken back", _counts_as_failed),
        require(T, PayoutFeeAssessed, "a transfer that was paid, its fee not known yet", _owes_no_fee_yet),
    ]
)
