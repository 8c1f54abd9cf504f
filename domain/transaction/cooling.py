"""Payouts wait while the account that they go to is new, or is not the one that its owner named.

Whoever took over a session shall not be paid at once, and whoever can write the table of accounts not at all. A
transaction knows of an account only what it was told. So a reaction looks before each attempt into the stream of the
payee, which has the deadline and a hash, and tells the transaction; what it was told of the deadline the transaction
holds to by itself.
"""

from datetime import datetime

from domain.errors import Refused
from domain.transaction.event import TransactionEvent
from domain.transaction.payout import PayoutTrack
from domain.transaction.records import AccountWait, PayoutPurpose, UnprovenAccount
from domain.transaction.state import TransactionState
from domain.user import AccountDoubt


class PayoutAccountCoolingOff(Refused):
    """The payee has changed the account that he is paid to: nothing is paid to it before `possible_at`."""

    code = "payout_account_cooling_off"


class PayoutWaitsForAccount(TransactionEvent):
    """The payee has changed the account that he is paid to: the next attempt is not made before `usable_at`.

    A remark. A request to pay this payee by force that was made while his account was in doubt is void; others stand.
    """

    TOPIC = "transaction.payout_waits_for_account.v1"
    IS_REMARK = True
    purpose: PayoutPurpose
    attempt: int
    usable_at: datetime

    def change(self, transaction: TransactionState) -> None:
        """It waits until this attempt is made; whose account it is, is in no doubt any more."""
        transaction.account_waits[self.purpose] = AccountWait(attempt=self.attempt, usable_at=self.usable_at)
        transaction.unproven_accounts.pop(self.purpose, None)


class PayoutAccountUnproven(TransactionEvent):
    """The payee's account is not the one that the log has a hash of, or the processor refuses it: nothing is paid until
    he has named it again, or another.

    A remark. A request to pay this payee by force that was made without this doubt is void; others stand.
    """

    TOPIC = "transaction.payout_account_unproven.v1"
    IS_REMARK = True
    purpose: PayoutPurpose
    attempt: int
    doubt: AccountDoubt

    def change(self, transaction: TransactionState) -> None:
        """It waits until this attempt is made."""
        transaction.unproven_accounts[self.purpose] = UnprovenAccount(attempt=self.attempt, doubt=self.doubt)


class CoolingTrack(PayoutTrack):
    """Waiting for an account to be usable, and to be proven."""

    def request_payout_by_system(self, purpose: PayoutPurpose, recipient: str) -> None:
        """A reaction asks for the transfer of all that is payable.

        Raises what `request_payout` raises, and `PayoutAccountCoolingOff` while this attempt waits for the account.
        """
        self.require_system()
        wait = self.account_waits.get(purpose)
        if wait is not None and wait.holds(self.next_attempt(purpose), self.now):
            raise PayoutAccountCoolingOff(possible_at=wait.usable_at.isoformat())
        self.request_payout(purpose, recipient)

    def wait_for_account(self, purpose: PayoutPurpose, usable_at: datetime) -> None:
        """A reaction found the payee's account too new; that it still is, is no news.

        Raises `NothingPayable` when nothing could be paid anyway.
        """
        self.require_system()
        self.require_payable(purpose)
        wait = AccountWait(attempt=self.next_attempt(purpose), usable_at=usable_at)
        if self.account_waits.get(purpose) != wait or purpose in self.unproven_accounts:
            self.record(PayoutWaitsForAccount, purpose=purpose, attempt=wait.attempt, usable_at=usable_at)

    def distrust_account(self, purpose: PayoutPurpose, doubt: AccountDoubt) -> None:
        """A reaction found that the log does not vouch for the payee's account; that it still does not, is no news.

        Raises `NothingPayable` when nothing could be paid anyway.
        """
        self.require_system()
        self.require_payable(purpose)
        unproven = UnprovenAccount(attempt=self.next_attempt(purpose), doubt=doubt)
        if self.unproven_accounts.get(purpose) != unproven:
            self.record(PayoutAccountUnproven, purpose=purpose, attempt=unproven.attempt, doubt=doubt)

    def awaits_account(self, purpose: PayoutPurpose) -> bool:
        """True when the next attempt was said to wait for an account: what it lacks since then is news."""
        told = (self.account_waits.get(purpose), self.unproven_accounts.get(purpose))
        return any(one is not None and one.attempt == self.next_attempt(purpose) for one in told)

    def unproven_purposes(self) -> tuple[PayoutPurpose, ...]:
        """Return the purposes that nothing is paid for because the payee's account is in doubt."""
        waiting = (p for p, unproven in self.unproven_accounts.items() if unproven.attempt == self.next_attempt(p))
        return tuple(purpose for purpose in waiting if self.payable_minor(purpose) > 0)
